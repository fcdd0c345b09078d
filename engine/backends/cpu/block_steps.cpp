// Operators on u8 pictures in blocks of channels, other than convolutions.
#include <array>
#include <cstring>

#include "backends/cpu/block_bind.h"
#include "backends/cpu/block_rows.h"
#include "backends/cpu/resize_table.h"
#include "backends/cpu/row_bind.h"
#include "kernels/block/quant_block.h"
#include "kernels/steps/steps_row.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

/// Calls fn(inputs, words, out) for `pixels` pixels of blocks as words of four bytes. Kernels over words work in whole
/// vectors, four pixels at most; the rest goes by way of copies, for beside a row stands another's border.
template <size_t kInputs, typename Fn>
void in_words(std::array<const uint8_t*, kInputs> in, int pixels, uint8_t* out, const Fn& fn) {
  constexpr int kVectorPixels = 4, kVectorBytes = kVectorPixels * kBlock;
  const int whole = pixels / kVectorPixels * kVectorPixels;
  const auto words = [](const uint8_t* bytes) { return reinterpret_cast<const uint32_t*>(bytes); };
  std::array<const uint32_t*, kInputs> from;
  for (size_t i = 0; i < kInputs; ++i) from[i] = words(in[i]);
  if (whole > 0) fn(from, whole * kBlock / 4, reinterpret_cast<uint32_t*>(out));
  if (whole == pixels) return;
  const size_t bytes = static_cast<size_t>(pixels - whole) * kBlock;
  alignas(64) uint8_t copies[kInputs + 1][kVectorBytes] = {};
  for (size_t i = 0; i < kInputs; ++i) {
    std::memcpy(copies[i], in[i] + whole * kBlock, bytes);
    from[i] = words(copies[i]);
  }
  fn(from, kVectorBytes / 4, reinterpret_cast<uint32_t*>(copies[kInputs]));
  std::memcpy(out + whole * kBlock, copies[kInputs], bytes);
}

class BlockLookupOp : public BlockRowsOp<uint8_t> {
 public:
  BlockLookupOp(std::span<const uint8_t> table, const BlockTensor& in, const BlockTensor& out,
                const kernels::StepsRowKernel& kernel, int threads)
      : BlockRowsOp(out, 2, threads), table_(table.begin(), table.end()), in_(in), kernel_(kernel) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, uint8_t* out, float*) const noexcept override {
    in_words<1>({args.input<uint8_t>(0) + in_.at(block, y, 0)}, out_.width, out,
                [&](const auto& in, int words, uint32_t* to) { kernel_.lookup(table_.data(), in[0], words, to); });
  }
  const std::vector<uint8_t> table_;
  const BlockTensor in_;
  const kernels::StepsRowKernel& kernel_;
};

class BlockQuantBinaryOp : public BlockRowsOp<uint8_t> {
 public:
  BlockQuantBinaryOp(const format::QuantBinaryParams& params, std::span<const BlockTensor> in, const BlockTensor& out,
                     const kernels::StepsRowKernel& kernel, int threads)
      : BlockRowsOp(out, 2, threads), p_(params), a_(in[0]), b_(in[1]), kernel_(kernel) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, uint8_t* out, float*) const noexcept override {
    in_words<2>({args.input<uint8_t>(0) + a_.at(block, y, 0), args.input<uint8_t>(1) + b_.at(block, y, 0)}, out_.width,
                out,
                [&](const auto& in, int words, uint32_t* to) { kernel_.binary(p_, in[0], in[1], false, words, to); });
  }
  const format::QuantBinaryParams p_;
  const BlockTensor a_, b_;
  const kernels::StepsRowKernel& kernel_;
};

class BlockQuantizeOp : public BlockRowsOp<uint8_t> {
 public:
  BlockQuantizeOp(const format::QuantizeParams& params, const BlockTensor& in, const BlockTensor& out,
                  kernels::QuantizeBlockFn run, int threads)
      : BlockRowsOp(out, 1, threads), p_(params), in_(in), run_(run) {}

 private:
  void run_row(const BlockArgs& args, int block, int y, uint8_t* out, float*) const noexcept override {
    run_({args.input<float>(0) + in_.at(block, y, 0), out, out_.width, p_.multiplier,
          static_cast<int32_t>(p_.zero_point)});
  }
  const format::QuantizeParams p_;
  const BlockTensor in_;
  const kernels::QuantizeBlockFn run_;
};

constexpr int kMostTaps = 64;

class BlockMaxOp : public BlockRowsOp<uint8_t> {
 public:
  BlockMaxOp(const format::Pool2dParams& params, const BlockTensor& in, const BlockTensor& out,
             kernels::QuantBlockMaxFn run, int threads)
      : BlockRowsOp(out, static_cast<double>(params.kernel[0] * params.kernel[1]) / 4, threads),
        p_(params),
        in_(in),
        run_(run) {
    for (; left_ < out_.width && inside(1, left_).size() < p_.kernel[1]; ++left_) {
    }
    for (right_ = out_.width; right_ > left_ && inside(1, right_ - 1).size() < p_.kernel[1]; --right_) {
    }
  }

 private:
  /// The taps [first, last) of result `at` along an axis that lie inside the picture.
  Interval inside(size_t axis, int at) const {
    const auto first = static_cast<int>(at * p_.stride[axis] - p_.pads[axis]);
    const auto dilation = static_cast<int>(p_.dilation[axis]);
    Interval taps = whole(axis);
    while (taps.begin < taps.end && first + taps.begin * dilation < 0) ++taps.begin;
    while (taps.end > taps.begin && first + (taps.end - 1) * dilation >= (axis == 0 ? in_.height : in_.width))
      --taps.end;
    return taps;
  }
  Interval whole(size_t axis) const { return {0, static_cast<int>(p_.kernel[axis])}; }

  void run_row(const BlockArgs& args, int block, int y, uint8_t* out, float*) const noexcept override {
    const uint8_t* in = args.input<uint8_t>(0) + in_.at(block, 0, 0) + (y * p_.stride[0] - p_.pads[0]) * in_.row() -
                        p_.pads[1] * kBlock;
    const Interval rows = inside(0, y);
    for (int x = 0; x < left_; ++x) run_part(in, rows, inside(1, x), x, x + 1, out);
    if (left_ < right_) run_part(in, rows, whole(1), left_, right_, out);
    for (int x = right_; x < out_.width; ++x) run_part(in, rows, inside(1, x), x, x + 1, out);
  }
  /// Results [begin, end), whose windows have these taps.
  void run_part(const uint8_t* in, Interval rows, Interval columns, int begin, int end, uint8_t* out) const noexcept {
    std::array<ptrdiff_t, kMostTaps> offsets;
    int taps = 0;
    for (int ky = rows.begin; ky < rows.end; ++ky)
      for (int kx = columns.begin; kx < columns.end; ++kx)
        offsets[static_cast<size_t>(taps++)] = ky * p_.dilation[0] * in_.row() + kx * p_.dilation[1] * kBlock;
    if (taps == 0) {
      std::memset(out + ptrdiff_t(begin) * kBlock, 0, static_cast<size_t>(end - begin) * kBlock);
      return;
    }
    const ptrdiff_t step = p_.stride[1] * kBlock;
    run_({in + begin * step, offsets.data(), taps, end - begin, step, out + ptrdiff_t(begin) * kBlock});
  }

  const format::Pool2dParams p_;
  const BlockTensor in_;
  const kernels::QuantBlockMaxFn run_;
  int left_ = 0, right_ = 0;  // results [left, right) have whole windows
};

class BlockStepsResizeOp : public BlockRowsOp<uint8_t> {
 public:
  BlockStepsResizeOp(const format::ResizeParams& params, const BlockTensor& in, const BlockTensor& out,
                     kernels::QuantBlockBlendFn run, int threads)
      : BlockRowsOp(out, 2, threads),
        in_(in),
        rows_(steps_resize_axis(params, 2, in.height, out.height)),
        columns_(steps_resize_axis(params, 3, in.width, out.width)),
        run_(run) {}
  size_t scratch_floats() const override { return static_cast<size_t>(in_.width) * kBlock / 2; }

 private:
  void run_row(const BlockArgs& args, int block, int y, uint8_t* out, float* scratch) const noexcept override {
    const auto row = [&](int32_t at) { return args.input<uint8_t>(0) + in_.at(block, at, 0); };
    const auto i = static_cast<size_t>(y);
    if (rows_.copies && columns_.copies) {
      const uint8_t* in = row(rows_.first[i]);
      for (int x = 0; x < out_.width; ++x)
        std::memcpy(out + ptrdiff_t(x) * kBlock, in + ptrdiff_t(columns_.first[static_cast<size_t>(x)]) * kBlock,
                    kBlock);
      return;
    }
    kernels::QuantBlockBlendArgs blend;
    blend.top = row(rows_.first[i]), blend.bottom = row(rows_.second[i]), blend.bottom_weight = rows_.weight[i];
    blend.columns = in_.width, blend.pixels = out_.width;
    blend.first = columns_.first.data(), blend.second = columns_.second.data();
    blend.second_weight = columns_.weight.data();
    blend.scratch = reinterpret_cast<uint16_t*>(scratch);
    blend.out = out;
    run_(blend);
  }
  const BlockTensor in_;
  const StepsResizeAxis rows_, columns_;
  const kernels::QuantBlockBlendFn run_;
};

}  // namespace

Result<BlockNode> block_steps_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  const Shape& result = context.shapes[op.outputs[0]];
  switch (op.kind()) {
    case format::OpKind::kLookup:
    case format::OpKind::kQuantize:
      break;
    case format::OpKind::kQuantBinary:
      if (context.shapes[op.inputs[0]] != result || context.program.values[op.inputs[1]].is_constant() ||
          context.shapes[op.inputs[1]] != result)
        return block_unsupported(op, "it repeats an operand");
      return BlockNode{index, {op.inputs[0], op.inputs[1]}, op.outputs[0]};
    case format::OpKind::kPool2d: {
      const auto& p = std::get<format::Pool2dParams>(op.params);
      if (p.kind != format::PoolKind::kMax || p.kernel[0] * p.kernel[1] > kMostTaps)
        return block_unsupported(op, "it is no maximum of few");
      break;
    }
    case format::OpKind::kResize:
      if (context.shapes[op.inputs[0]][1] != result[1]) return block_unsupported(op, "it resizes the channels");
      if (std::get<format::ResizeParams>(op.params).mode == format::ResizeMode::kCubic)
        return block_unsupported(op, "it is cubic on integers");
      break;
    case format::OpKind::kConcat:
      return block_pointwise_node(context, index);
    default:
      return block_unsupported(op, "it has no such kernel");
  }
  return BlockNode{index, {op.inputs[0]}, op.outputs[0]};
}

std::unique_ptr<BlockOp> bind_block_steps(const BlockContext& context, const BlockNode& node,
                                          std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const format::Operator& op = context.program.operators[node.op];
  const kernels::StepsRowKernel& words = *choose<kernels::StepsRowSlot>(context.capabilities);
  const int threads = context.threads;
  if (op.kind() == format::OpKind::kLookup)
    return std::make_unique<BlockLookupOp>(block_constant<uint8_t>(context, op.inputs[1]), inputs[0], output, words,
                                           threads);
  if (const auto* p = std::get_if<format::QuantBinaryParams>(&op.params))
    return std::make_unique<BlockQuantBinaryOp>(*p, inputs, output, words, threads);
  if (const auto* p = std::get_if<format::QuantizeParams>(&op.params))
    return std::make_unique<BlockQuantizeOp>(*p, inputs[0], output,
                                             choose<kernels::QuantizeBlockSlot>(context.capabilities), threads);
  if (const auto* p = std::get_if<format::Pool2dParams>(&op.params))
    return std::make_unique<BlockMaxOp>(*p, inputs[0], output, choose<kernels::QuantBlockMaxSlot>(context.capabilities),
                                        threads);
  if (const auto* p = std::get_if<format::ResizeParams>(&op.params))
    return std::make_unique<BlockStepsResizeOp>(*p, inputs[0], output,
                                                choose<kernels::QuantBlockBlendSlot>(context.capabilities), threads);
  return bind_block_pointwise(context, node, inputs, output);
}

}  // namespace coco::backends
