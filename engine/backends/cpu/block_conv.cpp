// Convolutions in blocks of channels, with what is added to them and their activation.
#include <string>

#include "backends/cpu/block_bind.h"
#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

using kernels::kBlock;

class BlockConvOp : public BlockOp {
 public:
  BlockConvOp(const format::Conv2dParams& params, std::span<const BlockTensor> inputs, const BlockTensor& out,
              kernels::BlockConvWeights weights, kernels::BlockConvFn run, bool adds, bool add_first, int threads)
      : p_(params),
        in_(inputs[0]),
        out_(out),
        add_(adds ? inputs.back() : BlockTensor{}),
        weights_(std::move(weights)),
        run_(run),
        adds_(adds),
        add_first_(add_first) {
    flat_ = is_flat_block_conv(p_, in_, out_) && add_.border == 0;
    // A depthwise product waits for memory.
    const double cost = double(weights_.panel()) * out_.blocks() * out_.height * out_.width;
    const ptrdiff_t weight_bytes = weights_.panel() * out_.blocks() * ptrdiff_t{sizeof(float)};
    split_ = split_conv(in_, out_, p_.stride[0], weights_.depthwise ? 6 * cost : cost, weight_bytes, threads);
  }
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    kernels::BlockConvArgs conv;
    conv.weights = &weights_;
    place_block_conv(p_, in_, out_, part, flat_, args, conv);
    conv.out = args.result<float>() + out_.at(part.first_block, part.first_row, 0);
    if (adds_) {
      conv.add = args.input<float>(1) + add_.at(part.first_block, part.first_row, 0);
      conv.add_block = add_.block(), conv.add_row = add_.row(), conv.add_first = add_first_;
    }
    run_(conv);
  }

 private:
  const format::Conv2dParams p_;
  const BlockTensor in_, out_, add_;
  const kernels::BlockConvWeights weights_;
  const kernels::BlockConvFn run_;
  const bool adds_, add_first_;
  bool flat_ = false;
  BlockSplit split_;
};

/// 3x3 in tiles of 4x4 results (kernels/block/winograd.h).
class BlockWinogradOp : public BlockOp {
 public:
  BlockWinogradOp(std::span<const BlockTensor> inputs, const BlockTensor& out, kernels::BlockConvWeights weights,
                  kernels::WinogradFn run, bool adds, bool add_first, int threads)
      : in_(inputs[0]),
        out_(out),
        add_(adds ? inputs.back() : BlockTensor{}),
        weights_(std::move(weights)),
        run_(run),
        adds_(adds),
        add_first_(add_first),
        tiles_(kernels::winograd_tiles(out.height) * kernels::winograd_tiles(out.width)) {
    // The planes of a task stay in the second-level cache beside the weights of one plane.
    constexpr int64_t kPlaneFloats = 3 << 16;
    const int64_t tile = static_cast<int64_t>(kernels::winograd_scratch(weights_, 1));
    const auto most = static_cast<int>(std::clamp<int64_t>(kPlaneFloats / tile / kWhole * kWhole, kWhole, 4 * kWhole));
    parts_ = (tiles_ + most - 1) / most;
    parts_ = std::min(tiles_, (parts_ + threads - 1) / threads * threads);
  }
  int tasks() const override { return parts_ + border_tasks(); }
  size_t scratch_floats() const override { return kernels::winograd_scratch(weights_, tiles_ / parts_ + 1); }
  void run(int task, const BlockArgs& args, float* scratch) const noexcept override {
    if (task == parts_) {
      for (int b = 0; b < out_.blocks(); ++b) clear_border(out_, args.out, b, 0, out_.height);
      return;
    }
    kernels::WinogradArgs conv;
    conv.weights = &weights_;
    conv.height = out_.height, conv.width = out_.width;
    conv.first_tile = static_cast<int>(int64_t{tiles_} * task / parts_);
    conv.tiles = static_cast<int>(int64_t{tiles_} * (task + 1) / parts_) - conv.first_tile;
    conv.in = args.input<float>(0) + in_.at(0, 0, 0), conv.in_block = in_.block(), conv.in_row = in_.row();
    conv.out = args.result<float>() + out_.at(0, 0, 0), conv.out_block = out_.block(), conv.out_row = out_.row();
    if (adds_) {
      conv.add = args.input<float>(1) + add_.at(0, 0, 0);
      conv.add_block = add_.block(), conv.add_row = add_.row(), conv.add_first = add_first_;
    }
    conv.scratch = scratch;
    run_(conv);
  }
  /// Whether a tile's transforms and its larger weights cost less than the products they save. Nothing here depends on
  /// the number of threads, as results must not.
  static bool pays(const format::Conv2dParams& p, const BlockTensor& in, const BlockTensor& out,
                   const Capabilities& capabilities) {
    using Pair = std::array<int64_t, 2>;
    const std::array<int64_t, 4> ones = {1, 1, 1, 1};
    if (!capabilities.row_pairs || p.group != 1 || p.kernel != Pair{3, 3} || p.stride != Pair{1, 1} ||
        p.dilation != Pair{1, 1} || p.pads != ones || in.pixel != kBlock || in.channels < kBlock ||
        out.channels < kBlock)
      return false;
    constexpr int64_t kCachedFloats = 1 << 18;
    const int64_t tiles = int64_t{kernels::winograd_tiles(out.height)} * kernels::winograd_tiles(out.width);
    const bool cached = int64_t{in.channels} * out.channels * kernels::kTilePlanes <= kCachedFloats;
    const int64_t waste = tiles * kernels::kTileOut * kernels::kTileOut;
    return tiles >= (cached ? 8 : 24) && 2 * int64_t{out.height} * out.width >= waste;
  }

 private:
  static constexpr int kWhole = 14;  // tiles the widest kernels take at once
  int border_tasks() const { return out_.border > 0 ? 1 : 0; }

  const BlockTensor in_, out_, add_;
  const kernels::BlockConvWeights weights_;
  const kernels::WinogradFn run_;
  const bool adds_, add_first_;
  const int tiles_;
  int parts_ = 1;
};

}  // namespace

BlockSplit split_conv(const BlockTensor& in, const BlockTensor& out, int64_t stride, double cost,
                      ptrdiff_t weight_bytes, int threads) {
  constexpr double kMinTaskCost = 1 << 15;
  constexpr int kTasksPerThread = 4;
  constexpr ptrdiff_t kInputBytes = 1 << 18;
  constexpr int kUnit = 2;  // blocks the widest kernels take at once
  BlockSplit split;
  split.blocks = out.blocks(), split.rows = out.height, split.unit = kUnit;
  const ptrdiff_t input_bytes =
      in.row() * in.blocks() * stride * static_cast<ptrdiff_t>(byte_size(in.type)) * out.height;
  split.row_parts = static_cast<int>(std::clamp<ptrdiff_t>(input_bytes / kInputBytes, 1, out.height));
  if (threads <= 1) return split;
  const double some = std::clamp<double>(cost / kMinTaskCost, 1, threads * kTasksPerThread);
  const int wanted = some < 2 ? 1 : (static_cast<int>(some) + threads - 1) / threads * threads;
  const int pairs = (split.blocks + kUnit - 1) / kUnit;
  // Large weights are better read once than once a part of rows.
  if (weight_bytes > input_bytes / 2) {
    split.block_parts = std::min(wanted, pairs);
    split.row_parts =
        std::max(split.row_parts, std::min((wanted + split.block_parts - 1) / split.block_parts, split.rows));
  } else {
    split.row_parts = std::max(split.row_parts, std::min(wanted, split.rows));
    split.block_parts = std::min((wanted + split.row_parts - 1) / split.row_parts, pairs);
  }
  return split;
}

Result<BlockNode> block_conv_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  const auto& p = std::get<format::Conv2dParams>(op.params);
  const Shape &in = context.shapes[op.inputs[0]], &out = context.shapes[op.outputs[0]];
  const auto constant = [&](size_t i) {
    return op.inputs.size() <= i || op.inputs[i] == format::kNoValue ||
           context.program.values[op.inputs[i]].is_constant();
  };
  if (!constant(1) || !constant(2) || !constant(3)) return block_unsupported(op, "its weights are computed");
  const bool depthwise = p.group > 1 && p.group == in[1] && p.group == out[1];
  if (p.group != 1 && !depthwise) return block_unsupported(op, "it has groups of channels");
  if (!epilogue_of(p.activation)) return block_unsupported(op, "its activation stands alone");
  constexpr int64_t kWidestBorder = 16;
  if (*std::max_element(p.pads.begin(), p.pads.end()) > kWidestBorder)
    return block_unsupported(op, "its padding is wide");
  BlockNode node{index, {op.inputs[0]}, op.outputs[0]};
  node.activation = {p.activation, p.act_a, p.act_b};
  return node;
}

double block_conv_density(const BlockContext& context, const BlockNode& node) {
  const format::Operator& op = context.program.operators[node.op];
  const auto& p = std::get<format::Conv2dParams>(op.params);
  const std::span<const float> weights = block_constant(context, op.inputs[1]);
  const double kept =
      context.capabilities.skip_zeros
          ? static_cast<double>(std::count_if(weights.begin(), weights.end(), [](float v) { return v != 0; }))
          : static_cast<double>(weights.size());
  const auto channels = static_cast<int>(context.shapes[op.outputs[0]][1]);
  const double padded = static_cast<double>(weights.size()) * kernels::channel_blocks(channels) * kBlock / channels;
  return p.group > 1 ? 1 : kept / std::max(padded, 1.0);
}

kernels::BlockConvWeights block_conv_weights(const BlockContext& context, size_t index,
                                             const BlockActivation& activation) {
  const format::Operator& op = context.program.operators[index];
  const auto& p = std::get<format::Conv2dParams>(op.params);
  kernels::BlockConvWeights weights;
  weights.out_channels = static_cast<int>(context.shapes[op.outputs[0]][1]);
  weights.in_channels = static_cast<int>(context.shapes[op.inputs[0]][1]);
  weights.kernel_h = static_cast<int>(p.kernel[0]), weights.kernel_w = static_cast<int>(p.kernel[1]);
  weights.depthwise = p.group > 1;
  weights.epilogue = epilogue_of(activation.kind).value_or(kernels::Epilogue::kNone);
  weights.a = activation.a, weights.b = activation.b;
  weights.bias.assign(static_cast<size_t>(weights.out_channels), 0.0f);
  const auto has = [&](size_t i) { return i < op.inputs.size() && op.inputs[i] != format::kNoValue; };
  if (has(2)) {
    const auto bias = block_constant(context, op.inputs[2]);
    std::copy(bias.begin(), bias.end(), weights.bias.begin());
  }
  if (has(3)) {
    const auto slope = block_constant(context, op.inputs[3]);
    weights.epilogue = kernels::Epilogue::kPrelu;
    weights.slope.assign(slope.begin(), slope.end());
  }
  return weights;
}

Status pack_block_conv(const BlockContext& context, size_t index, kernels::BlockConvWeights& weights, bool winograd) {
  const format::Operator& op = context.program.operators[index];
  const float* oihw = block_constant(context, op.inputs[1]).data();
  if (winograd ? kernels::pack_winograd_weights(oihw, weights) : kernels::pack_block_weights(oihw, weights)) return {};
  return make_error(ErrorCode::kResourceLimit, "no memory for the weights of operator '" + op.name + "'");
}

Result<std::unique_ptr<BlockOp>> bind_block_conv(const BlockContext& context, const BlockNode& node,
                                                 std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const auto& p = std::get<format::Conv2dParams>(context.program.operators[node.op].params);
  kernels::BlockConvWeights weights = block_conv_weights(context, node.op, node.activation);
  const bool adds = node.add != format::kNoValue;
  const bool winograd = BlockWinogradOp::pays(p, inputs[0], output, context.capabilities);
  const auto* row = kernels::select<kernels::BlockConvSlot>(weights, context.capabilities);
  COCO_TRY(pack_block_conv(context, node.op, weights, winograd));
  if (winograd) {
    const auto run = choose<kernels::WinogradSlot>(context.capabilities);
    return std::unique_ptr<BlockOp>(std::make_unique<BlockWinogradOp>(inputs, output, std::move(weights), run, adds,
                                                                      node.add_first, context.threads));
  }
  return std::unique_ptr<BlockOp>(std::make_unique<BlockConvOp>(p, inputs, output, std::move(weights), row->function,
                                                                adds, node.add_first, context.threads));
}

}  // namespace coco::backends
