// Normalisation of each channel over its picture, in blocks of channels.
#include <string>

#include "backends/cpu/block_bind.h"
#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

/// A block is a task.
class BlockNormOp : public BlockOp {
 public:
  BlockNormOp(float epsilon, std::vector<float> scale, std::vector<float> bias, const BlockTensor& in,
              const BlockTensor& out, kernels::BlockNormFn run)
      : epsilon_(epsilon), scale_(std::move(scale)), bias_(std::move(bias)), in_(in), out_(out), run_(run) {}
  int tasks() const override { return out_.blocks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    clear_border(out_, args.out, task, 0, out_.height);
    kernels::BlockNormArgs norm;
    norm.in = args.input<float>(0) + in_.at(task, 0, 0), norm.in_row = in_.row();
    norm.rows = in_.height, norm.pixels = in_.width;
    norm.epsilon = epsilon_;
    norm.scale = scale_.data() + ptrdiff_t(task) * kBlock, norm.bias = bias_.data() + ptrdiff_t(task) * kBlock;
    norm.out = args.result<float>() + out_.at(task, 0, 0), norm.out_row = out_.row();
    run_(norm);
  }

 private:
  const float epsilon_;
  const std::vector<float> scale_, bias_;  // of whole blocks
  const BlockTensor in_, out_;
  const kernels::BlockNormFn run_;
};

}  // namespace

Result<BlockNode> block_norm_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  if (std::get<format::GroupNormParams>(op.params).groups != context.shapes[op.inputs[0]][1])
    return block_unsupported(op, "it takes several channels together");
  for (size_t i = 1; i < op.inputs.size(); ++i) {
    if (op.inputs[i] != format::kNoValue && !context.program.values[op.inputs[i]].is_constant())
      return block_unsupported(op, "its scale or bias is computed");
  }
  return BlockNode{index, {op.inputs[0]}, op.outputs[0]};
}

std::unique_ptr<BlockOp> bind_block_norm(const BlockContext& context, const BlockNode& node,
                                         std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const format::Operator& op = context.program.operators[node.op];
  const auto of_channels = [&](size_t i, float absent) {
    std::vector<float> values(static_cast<size_t>(output.channels), absent);
    if (i < op.inputs.size() && op.inputs[i] != format::kNoValue) {
      const auto constant = block_constant(context, op.inputs[i]);
      std::copy(constant.begin(), constant.end(), values.begin());
    }
    values.resize(static_cast<size_t>(output.blocks()) * kBlock, 0.0f);
    return values;
  };
  return std::make_unique<BlockNormOp>(std::get<format::GroupNormParams>(op.params).epsilon, of_channels(1, 1),
                                       of_channels(2, 0), inputs[0], output,
                                       choose<kernels::BlockNormSlot>(context.capabilities));
}

}  // namespace coco::backends
