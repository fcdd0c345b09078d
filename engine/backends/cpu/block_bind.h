// Purpose: what the binders of block operators share.
#pragma once

#include <string>

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
