// Integer convolutions in blocks of channels.
#include <string>

#include "backends/cpu/block_bind.h"
#include "backends/cpu/row_bind.h"
#include "kernels/block/quant_block.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

class BlockQuantConvOp : public BlockOp {
 public:
  BlockQuantConvOp(const format::QuantConv2dParams& params, const BlockTensor& in, const BlockTensor& out,
                   kernels::QuantBlockWeights weights, kernels::QuantBlockFn run, int threads)
      : p_(params), in_(in), out_(out), weights_(std::move(weights)), run_(run) {
    offsets_ =
        kernels::quant_block_offsets(weights_, in_.block(), in_.row() * p_.dilation[0], in_.pixel * p_.dilation[1]);
    flat_ = is_flat_block_conv(p_, in_, out_);
    // A step makes 64 products in the time of 16 in f32.
    const double pixels = double(out_.height) * out_.width, words = double(weights_.packed.size()) / 4;
    split_ = split_conv(in_, out_, p_.stride[0], (weights_.depthwise ? 4 : 1) * words * pixels,
                        static_cast<ptrdiff_t>(weights_.packed.size()), threads);
  }
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    kernels::QuantBlockArgs conv;
    conv.weights = &weights_, conv.offsets = offsets_.data();
    place_block_conv(p_, in_, out_, part, flat_, args, conv);
    conv.out = args.result<uint8_t>() +
               out_.at(part.first_block, part.first_row, 0) * static_cast<ptrdiff_t>(byte_size(out_.type));
    run_(conv);
  }

 private:
  const format::QuantConv2dParams p_;
  const BlockTensor in_, out_;
  const kernels::QuantBlockWeights weights_;
  const kernels::QuantBlockFn run_;
  std::vector<ptrdiff_t> offsets_;
  bool flat_ = false;
  BlockSplit split_;
};

}  // namespace

Result<BlockNode> block_quant_conv_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  const auto& p = std::get<format::QuantConv2dParams>(op.params);
  const Shape &in = context.shapes[op.inputs[0]], &out = context.shapes[op.outputs[0]];
  const bool depthwise = p.group > 1 && p.group == in[1] && p.group == out[1];
  if (p.group != 1 && !depthwise) return block_unsupported(op, "it has groups of channels");
  constexpr int kWidestBorder = 16;
  if (block_conv_border(p) > kWidestBorder) return block_unsupported(op, "its padding is wide");
  if (zero_point_of(context.program, op.inputs[0]) != p.in_zero_point)
    return block_unsupported(op, "its zero point is not its input's");
  return BlockNode{index, {op.inputs[0]}, op.outputs[0]};
}

/// Steps of 16 x 4 channels without a weight are left out; the others count in full.
double block_quant_conv_density(const BlockContext& context, const BlockNode& node) {
  const format::Operator& op = context.program.operators[node.op];
  if (std::get<format::QuantConv2dParams>(op.params).group > 1) return 1;
  const Shape& shape = context.program.values[op.inputs[1]].shape;
  const auto weights = block_constant<int8_t>(context, op.inputs[1]);
  const int64_t taps = shape[2] * shape[3], words = (shape[1] + 3) / 4;
  std::vector<bool> kept(static_cast<size_t>(kernels::channel_blocks(static_cast<int>(shape[0])) * words * taps));
  double products = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0 && context.capabilities.skip_zeros) continue;
    const auto at = static_cast<int64_t>(i), m = at / taps / shape[1], c = at / taps % shape[1];
    kept[static_cast<size_t>((m / kBlock * words + c / 4) * taps + at % taps)] = true;
    products += 1;
  }
  const auto steps = static_cast<double>(std::count(kept.begin(), kept.end(), true));
  return products / std::max(steps * kBlock * 4, 1.0);
}

Result<std::unique_ptr<BlockOp>> bind_block_quant_conv(const BlockContext& context, const BlockNode& node,
                                                       std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const format::Operator& op = context.program.operators[node.op];
  const auto& p = std::get<format::QuantConv2dParams>(op.params);
  kernels::QuantBlockWeights weights;
  const bool has_negative = op.inputs.size() > 4 && op.inputs[4] != format::kNoValue;
  if (!kernels::pack_quant_block(
          p, output.channels, inputs[0].channels, block_constant<int8_t>(context, op.inputs[1]).data(),
          block_constant<int32_t>(context, op.inputs[2]).data(), block_constant(context, op.inputs[3]).data(),
          has_negative ? block_constant(context, op.inputs[4]).data() : nullptr, context.capabilities.skip_zeros,
          weights))
    return make_error(ErrorCode::kResourceLimit, "no memory for the weights of operator '" + op.name + "'");
  const auto* row = kernels::select<kernels::QuantBlockSlot>(weights, context.capabilities);
  return std::unique_ptr<BlockOp>(
      std::make_unique<BlockQuantConvOp>(p, inputs[0], output, std::move(weights), row->function, context.threads));
}

}  // namespace coco::backends
