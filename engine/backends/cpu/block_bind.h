// Purpose: what the binders of block operators share.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>

#include "backends/cpu/block_op.h"

namespace coco::backends {

/// kUnsupported: "operator NAME (KIND) does not run in blocks of channels: WHY".
Error block_unsupported(const format::Operator& op, const std::string& why);

/// The elements of a constant.
template <typename T = float>
std::span<const T> block_constant(const BlockContext& context, int32_t value) {
  const auto& bytes = context.program.values[value].constant.bytes;
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

/// Rows whose input stays in the second-level cache while every block of the result reads it; more parts where there
/// are threads to fill. `cost`: of all products, in multiply-adds of f32.
BlockSplit split_conv(const BlockTensor& in, const BlockTensor& out, int64_t stride, double cost,
                      ptrdiff_t weight_bytes, int threads);
Result<BlockNode> block_conv_node(const BlockContext& context, size_t op);
/// Of a Conv2dParams or QuantConv2dParams.
template <typename Params>
int block_conv_border(const Params& p) {
  return static_cast<int>(*std::max_element(p.pads.begin(), p.pads.end()));
}
/// Whether a row may run on into the next one: a 1x1 kernel of unit stride, and no border on either side.
template <typename Params>
bool is_flat_block_conv(const Params& p, const BlockTensor& in, const BlockTensor& out) {
  return p.kernel[0] == 1 && p.kernel[1] == 1 && p.stride[0] == 1 && p.stride[1] == 1 && in.border == 0 &&
         out.border == 0;
}
/// Fills in where a part of a convolution reads and how far apart things lie, and clears the part's border; where it
/// writes is left to the caller. Args: kernels::BlockConvArgs or QuantBlockArgs.
template <typename Params, typename Args>
void place_block_conv(const Params& p, const BlockTensor& in, const BlockTensor& out, const BlockSplit::Part& part,
                      bool flat, const BlockArgs& args, Args& conv) {
  for (int b = part.first_block; b < part.first_block + part.blocks; ++b)
    clear_border(out, args.out, b, part.first_row, part.rows);
  conv.first_block = part.first_block, conv.blocks = part.blocks;
  conv.rows = flat ? 1 : part.rows;
  conv.pixels = flat ? part.rows * out.width : out.width;
  const int y = static_cast<int>(part.first_row * p.stride[0] - p.pads[0]);
  using Element = std::remove_cv_t<std::remove_pointer_t<decltype(conv.in)>>;
  conv.in =
      args.input<Element>(0) + in.at(conv.weights->depthwise ? part.first_block : 0, y, -static_cast<int>(p.pads[1]));
  conv.in_block = in.block();
  conv.in_row = in.row() * p.stride[0], conv.in_pixel = in.pixel * p.stride[1];
  conv.tap_row = in.row() * p.dilation[0], conv.tap_column = in.pixel * p.dilation[1];
  conv.out_block = out.block(), conv.out_row = out.row();
}
double block_conv_density(const BlockContext& context, const BlockNode& node);
Result<std::unique_ptr<BlockOp>> bind_block_conv(const BlockContext& context, const BlockNode& node,
                                                 std::span<const BlockTensor> inputs, const BlockTensor& output);

/// Weights of a convolution with its bias and what follows it, not packed yet.
kernels::BlockConvWeights block_conv_weights(const BlockContext& context, size_t op, const BlockActivation& activation);
Status pack_block_conv(const BlockContext& context, size_t op, kernels::BlockConvWeights& weights, bool winograd);
Result<std::unique_ptr<BlockOp>> bind_block_separable(const BlockContext& context, const BlockNode& node,
                                                      std::span<const BlockTensor> inputs, const BlockTensor& output);

Result<BlockNode> block_norm_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_norm(const BlockContext& context, const BlockNode& node,
                                         std::span<const BlockTensor> inputs, const BlockTensor& output);

Result<BlockNode> block_pool_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_pool(const BlockContext& context, const BlockNode& node,
                                         std::span<const BlockTensor> inputs, const BlockTensor& output);

Result<BlockNode> block_pointwise_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_pointwise(const BlockContext& context, const BlockNode& node,
                                              std::span<const BlockTensor> inputs, const BlockTensor& output);

/// Integers.
Result<BlockNode> block_quant_conv_node(const BlockContext& context, size_t op);
double block_quant_conv_density(const BlockContext& context, const BlockNode& node);
Result<std::unique_ptr<BlockOp>> bind_block_quant_conv(const BlockContext& context, const BlockNode& node,
                                                       std::span<const BlockTensor> inputs, const BlockTensor& output);
/// Operators other than convolutions whose result is u8.
Result<BlockNode> block_steps_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_steps(const BlockContext& context, const BlockNode& node,
                                          std::span<const BlockTensor> inputs, const BlockTensor& output);

}  // namespace coco::backends
