#include "backends/cpu/block_bind.h"

namespace coco::backends {

Error block_unsupported(const format::Operator& op, const std::string& why) {
  return make_error(ErrorCode::kUnsupported, "operator '" + op.name + "' (" + std::string(to_string(op.kind())) +
                                                 ") does not run in blocks of channels: " + why);
}

Result<BlockNode> make_block_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  const auto type = [&](int32_t v) { return context.program.values[v].type; };
  const auto is_picture = [&](int32_t v) {
    const Shape& s = context.shapes[v];
    return (type(v) == DataType::kF32 || type(v) == DataType::kU8) && s.rank() == 4 && s[1] > 0 && s[2] > 0 && s[3] > 0;
  };
  if (op.outputs.size() != 1 || !is_picture(op.outputs[0])) return block_unsupported(op, "its result is no picture");
  for (const int32_t v : op.inputs) {
    if (v != format::kNoValue && !context.program.values[v].is_constant() && !is_picture(v))
      return block_unsupported(op, "an input is no picture");
  }
  if (op.inputs.empty() || op.inputs[0] == format::kNoValue || context.program.values[op.inputs[0]].is_constant())
    return block_unsupported(op, "it has no computed input");
  if (op.kind() == format::OpKind::kQuantConv2d) return block_quant_conv_node(context, index);
  if (type(op.outputs[0]) == DataType::kU8) return block_steps_node(context, index);
  for (const int32_t v : op.inputs) {
    if (v != format::kNoValue && type(v) != DataType::kF32) return block_unsupported(op, "an input is not f32");
  }
  switch (op.kind()) {
    case format::OpKind::kConv2d:
      return block_conv_node(context, index);
    case format::OpKind::kGroupNorm:
      return block_norm_node(context, index);
    case format::OpKind::kPool2d:
    case format::OpKind::kReduce:
      return block_pool_node(context, index);
    case format::OpKind::kUnary:
    case format::OpKind::kBinary:
    case format::OpKind::kConcat:
    case format::OpKind::kResize:
      return block_pointwise_node(context, index);
    default:
      return block_unsupported(op, "it has no such kernel");
  }
}

int block_border(const BlockContext& context, const BlockNode& node, size_t input) {
  const size_t op = node.depthwise == BlockNode::kNone ? node.op : node.depthwise;
  const auto& params = context.program.operators[op].params;
  if (input != 0) return 0;
  if (const auto* p = std::get_if<format::QuantConv2dParams>(&params)) return block_conv_border(*p);
  const auto* p = std::get_if<format::Conv2dParams>(&params);
  return p != nullptr ? block_conv_border(*p) : 0;
}

double block_density(const BlockContext& context, const BlockNode& node) {
  const format::OpKind kind = context.program.operators[node.op].kind();
  if (kind == format::OpKind::kQuantConv2d) return block_quant_conv_density(context, node);
  return kind == format::OpKind::kConv2d ? block_conv_density(context, node) : 1;
}

Result<std::unique_ptr<BlockOp>> make_block_op(const BlockContext& context, const BlockNode& node,
                                               std::span<const BlockTensor> inputs, const BlockTensor& output) {
  if (node.depthwise != BlockNode::kNone) return bind_block_separable(context, node, inputs, output);
  const format::OpKind kind = context.program.operators[node.op].kind();
  if (kind != format::OpKind::kQuantConv2d && output.type == DataType::kU8)
    return bind_block_steps(context, node, inputs, output);
  switch (kind) {
    case format::OpKind::kQuantConv2d:
      return bind_block_quant_conv(context, node, inputs, output);
    case format::OpKind::kConv2d:
      return bind_block_conv(context, node, inputs, output);
    case format::OpKind::kGroupNorm:
      return bind_block_norm(context, node, inputs, output);
    case format::OpKind::kPool2d:
    case format::OpKind::kReduce:
      return bind_block_pool(context, node, inputs, output);
    default:
      return bind_block_pointwise(context, node, inputs, output);
  }
}

}  // namespace coco::backends
