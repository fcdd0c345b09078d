// Purpose: what the binders of block operators share.
#pragma once

#include <string>

#include "backends/cpu/block_op.h"

namespace coco::backends {

/// kUnsupported: "operator NAME (KIND) does not run in blocks of channels: WHY".
Error block_unsupported(const format::Operator& op, const std::string& why);
/// The floats of a constant.
std::span<const float> block_constant(const BlockContext& context, int32_t value);

Result<BlockNode> block_conv_node(const BlockContext& context, size_t op);
int block_conv_border(const format::Conv2dParams& params);
double block_conv_density(const BlockContext& context, const BlockNode& node);
Result<std::unique_ptr<BlockOp>> bind_block_conv(const BlockContext& context, const BlockNode& node,
                                                 std::span<const BlockTensor> inputs, const BlockTensor& output);

/// Weights of a convolution with its bias and what follows it, not packed yet.
kernels::BlockConvWeights block_conv_weights(const BlockContext& context, size_t op, const BlockActivation& activation);
Status pack_block_conv(const BlockContext& context, size_t op, kernels::BlockConvWeights& weights, bool winograd);
Result<std::unique_ptr<BlockOp>> bind_block_separable(const BlockContext& context, const BlockNode& node,
                                                      std::span<const BlockTensor> inputs, const BlockTensor& output);

Result<BlockNode> block_pool_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_pool(const BlockContext& context, const BlockNode& node,
                                         std::span<const BlockTensor> inputs, const BlockTensor& output);

Result<BlockNode> block_pointwise_node(const BlockContext& context, size_t op);
std::unique_ptr<BlockOp> bind_block_pointwise(const BlockContext& context, const BlockNode& node,
                                              std::span<const BlockTensor> inputs, const BlockTensor& output);

}  // namespace coco::backends
