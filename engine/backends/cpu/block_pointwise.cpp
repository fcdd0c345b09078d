// Pointwise operators, joins and resizing in blocks of channels: rows of blocks are rows of floats.
#include "backends/cpu/block_bind.h"
#include "backends/cpu/block_rows.h"
#include "backends/cpu/resize_table.h"
#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

class BlockUnaryOp : public BlockRowsOp<float> {
 public:
  BlockUnaryOp(const format::UnaryParams& params, const BlockTensor& in, const BlockTensor& out,
               kernels::UnaryRowFn run, int threads)
      : BlockRowsOp<float>(out, 8, threads), params_(params), in_(in), run_(run) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, float* out, float*) const noexcept override {
    run_(params_, args.input<float>(0) + in_.at(block, y, 0), row_elements(), out);
  }
  const format::UnaryParams params_;
  const BlockTensor in_;
  const kernels::UnaryRowFn run_;
};

class BlockBinaryOp : public BlockRowsOp<float> {
 public:
  BlockBinaryOp(format::BinaryKind kind, std::span<const BlockTensor> in, const BlockTensor& out,
                kernels::BinaryRowFn run, int threads)
      : BlockRowsOp<float>(out, 2, threads), kind_(kind), a_(in[0]), b_(in[1]), run_(run) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, float* out, float*) const noexcept override {
    run_(kind_, args.input<float>(0) + a_.at(block, y, 0), args.input<float>(1) + b_.at(block, y, 0), row_elements(),
         out);
  }
  const format::BinaryKind kind_;
  const BlockTensor a_, b_;
  const kernels::BinaryRowFn run_;
};

template <typename T>
class BlockConcatOp : public BlockRowsOp<T> {
 public:
  BlockConcatOp(std::span<const BlockTensor> in, const BlockTensor& out, int threads)
      : BlockRowsOp<T>(out, 2, threads), in_(in.begin(), in.end()) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, T* out, float*) const noexcept override {
    size_t i = 0;
    for (; block >= in_[i].blocks(); ++i) block -= in_[i].blocks();
    std::copy_n(args.input<T>(i) + in_[i].at(block, y, 0), this->row_elements(), out);
  }
  const std::vector<BlockTensor> in_;
};

/// Both axes by table: the picture's rows are brought together, then its columns.
class BlockResizeOp : public BlockRowsOp<float> {
 public:
  BlockResizeOp(kernels::FilterTable horizontal, kernels::FilterTable vertical, const BlockTensor& in,
                const BlockTensor& out, kernels::BlockResizeFn run, int threads)
      : BlockRowsOp<float>(out, 4.0 * horizontal.taps * vertical.taps, threads),
        horizontal_(std::move(horizontal)),
        vertical_(std::move(vertical)),
        in_(in),
        run_(run) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, float* out, float*) const noexcept override {
    kernels::BlockResizeArgs resize;
    resize.in = args.input<float>(0) + in_.at(block, vertical_.first[static_cast<size_t>(y)], 0);
    resize.in_row = in_.row();
    resize.rows = vertical_.taps;
    resize.row_weights = vertical_.weights.data() + ptrdiff_t(y) * vertical_.taps;
    resize.columns = &horizontal_;
    resize.out = out;
    run_(resize);
  }
  const kernels::FilterTable horizontal_, vertical_;
  const BlockTensor in_;
  const kernels::BlockResizeFn run_;
};

}  // namespace

Result<BlockNode> block_pointwise_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  BlockNode node{index, op.inputs, op.outputs[0]};
  const Shape& result = context.shapes[op.outputs[0]];
  for (const int32_t v : op.inputs) {
    if (op.kind() == format::OpKind::kResize) break;
    if (v == format::kNoValue || context.program.values[v].is_constant())
      return block_unsupported(op, "an input is constant");
  }
  if (op.kind() == format::OpKind::kResize) node.inputs = {op.inputs[0]};
  if (op.kind() == format::OpKind::kResize && context.shapes[op.inputs[0]][1] != result[1])
    return block_unsupported(op, "it resizes the channels");
  if (op.kind() == format::OpKind::kBinary &&
      (context.shapes[op.inputs[0]] != result || context.shapes[op.inputs[1]] != result))
    return block_unsupported(op, "it repeats an operand");
  // The unused channels of the last block cost as much as the others.
  if (op.kind() == format::OpKind::kUnary &&
      4 * result[1] < 3 * kBlock * kernels::channel_blocks(static_cast<int>(result[1])))
    return block_unsupported(op, "it has too few channels");
  if (op.kind() == format::OpKind::kConcat) {
    if (std::get<format::ConcatParams>(op.params).axis != 1) return block_unsupported(op, "it joins no channels");
    for (size_t i = 0; i + 1 < op.inputs.size(); ++i)
      if (context.shapes[op.inputs[i]][1] % kBlock != 0)
        return block_unsupported(op, "blocks of channels would be cut");
  }
  return node;
}

std::unique_ptr<BlockOp> bind_block_pointwise(const BlockContext& context, const BlockNode& node,
                                              std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const auto& params = context.program.operators[node.op].params;
  const int threads = context.threads;
  if (const auto* unary = std::get_if<format::UnaryParams>(&params))
    return std::make_unique<BlockUnaryOp>(*unary, inputs[0], output,
                                          choose<kernels::UnaryRowSlot>(context.capabilities), threads);
  if (const auto* binary = std::get_if<format::BinaryParams>(&params))
    return std::make_unique<BlockBinaryOp>(binary->kind, inputs, output,
                                           choose<kernels::BinaryRowSlot>(context.capabilities), threads);
  if (const auto* resize = std::get_if<format::ResizeParams>(&params))
    return std::make_unique<BlockResizeOp>(make_resize_table(*resize, 3, inputs[0].width, output.width),
                                           make_resize_table(*resize, 2, inputs[0].height, output.height), inputs[0],
                                           output, choose<kernels::BlockResizeSlot>(context.capabilities), threads);
  if (output.type == DataType::kU8) return std::make_unique<BlockConcatOp<uint8_t>>(inputs, output, threads);
  return std::make_unique<BlockConcatOp<float>>(inputs, output, threads);
}

}  // namespace coco::backends
