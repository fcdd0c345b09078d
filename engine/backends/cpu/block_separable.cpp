// A depthwise convolution and the 1x1 convolution behind it, a few rows at a time: what is between them stays in the
// cache.
#include <string>

#include "backends/cpu/block_bind.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

class BlockSeparableOp : public BlockOp {
 public:
  struct Part {
    kernels::BlockConvWeights weights;
    kernels::BlockConvFn run;
  };

  BlockSeparableOp(const format::Conv2dParams& depthwise, std::span<const BlockTensor> inputs, const BlockTensor& out,
                   Part first, Part second, const BlockNode& node, int threads)
      : p_(depthwise),
        in_(inputs[0]),
        out_(out),
        add_(node.add != format::kNoValue ? inputs.back() : BlockTensor{}),
        first_(std::move(first)),
        second_(std::move(second)),
        adds_(node.add != format::kNoValue),
        add_first_(node.add_first) {
    constexpr ptrdiff_t kKeptFloats = 3 << 14;
    const ptrdiff_t row = ptrdiff_t(in_.blocks()) * out_.width * kBlock;
    rows_ = static_cast<int>(std::clamp<ptrdiff_t>(kKeptFloats / row, 1, out_.height));
    constexpr int kTasksPerThread = 4;
    parts_ = threads > 1 ? std::min(out_.height, threads * kTasksPerThread) : 1;
  }
  int tasks() const override { return parts_; }
  size_t scratch_floats() const override {
    return static_cast<size_t>(in_.blocks()) * static_cast<size_t>(rows_ * out_.width) * kBlock;
  }
  void run(int task, const BlockArgs& args, float* scratch) const noexcept override {
    const int begin = static_cast<int>(int64_t{out_.height} * task / parts_);
    const int end = static_cast<int>(int64_t{out_.height} * (task + 1) / parts_);
    for (int b = 0; b < out_.blocks(); ++b) clear_border(out_, args.out, b, begin, end - begin);
    for (int y = begin; y < end; y += rows_) run_rows(y, std::min(rows_, end - y), args, scratch);
  }

 private:
  void run_rows(int y, int rows, const BlockArgs& args, float* scratch) const {
    const ptrdiff_t kept_row = ptrdiff_t(out_.width) * kBlock, kept_block = rows * kept_row;
    kernels::BlockConvArgs conv;
    conv.weights = &first_.weights;
    conv.blocks = in_.blocks(), conv.rows = rows, conv.pixels = out_.width;
    conv.in = args.input<float>(0) +
              in_.at(0, static_cast<int>(y * p_.stride[0] - p_.pads[0]), -static_cast<int>(p_.pads[1]));
    conv.in_block = in_.block(), conv.in_row = in_.row() * p_.stride[0], conv.in_pixel = kBlock * p_.stride[1];
    conv.tap_row = in_.row() * p_.dilation[0], conv.tap_column = kBlock * p_.dilation[1];
    conv.out = scratch, conv.out_block = kept_block, conv.out_row = kept_row;
    first_.run(conv);
    kernels::BlockConvArgs point;
    const bool flat = out_.border == 0 && add_.border == 0;
    point.weights = &second_.weights;
    point.blocks = out_.blocks();
    point.rows = flat ? 1 : rows, point.pixels = flat ? rows * out_.width : out_.width;
    point.in = scratch, point.in_block = kept_block, point.in_row = kept_row;
    point.out = args.result<float>() + out_.at(0, y, 0), point.out_block = out_.block(), point.out_row = out_.row();
    if (adds_) {
      point.add = args.input<float>(1) + add_.at(0, y, 0);
      point.add_block = add_.block(), point.add_row = add_.row(), point.add_first = add_first_;
    }
    second_.run(point);
  }

  const format::Conv2dParams p_;
  const BlockTensor in_, out_, add_;
  const Part first_, second_;
  const bool adds_, add_first_;
  int rows_ = 1, parts_ = 1;
};

}  // namespace

Result<std::unique_ptr<BlockOp>> bind_block_separable(const BlockContext& context, const BlockNode& node,
                                                      std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const auto part = [&](size_t op, const BlockActivation& activation) -> Result<BlockSeparableOp::Part> {
    kernels::BlockConvWeights weights = block_conv_weights(context, op, activation);
    const auto* row = kernels::select<kernels::BlockConvSlot>(weights, context.capabilities);
    COCO_TRY(pack_block_conv(context, op, weights, false));
    return BlockSeparableOp::Part{std::move(weights), row->function};
  };
  COCO_ASSIGN(auto first, part(node.depthwise, node.depthwise_activation));
  COCO_ASSIGN(auto second, part(node.op, node.activation));
  const auto& params = std::get<format::Conv2dParams>(context.program.operators[node.depthwise].params);
  return std::unique_ptr<BlockOp>(std::make_unique<BlockSeparableOp>(params, inputs, output, std::move(first),
                                                                     std::move(second), node, context.threads));
}

}  // namespace coco::backends
