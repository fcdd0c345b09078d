#include "backends/cpu/row_bind.h"

#include <algorithm>

namespace coco::backends {

Error BindContext::unsupported(const std::string& why) const {
  return make_error(ErrorCode::kUnsupported, "operator '" + op().name + "' (" + std::string(to_string(op().kind())) +
                                                 ") does not run row by row: " + why);
}

namespace {

Result<RowTensor> as_row_tensor(const BindContext& context, int32_t value) {
  const Shape& shape = context.shapes[value];
  const DataType type = context.program.values[value].type;
  if (type != DataType::kF32 && type != DataType::kU8)
    return context.unsupported("value '" + context.program.values[value].name + "' is " + std::string(to_string(type)));
  if (shape.rank() != 4 || shape[0] != 1 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1)
    return context.unsupported("value '" + context.program.values[value].name + "' is " + shape.to_string() +
                               ", not one picture [1, C, H, W]");
  RowTensor tensor{static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3])};
  if (type == DataType::kU8) {
    tensor.type = type;
    tensor.zero_point = zero_point_of(context.program, value);
  }
  return tensor;
}

}  // namespace

Result<RowTensor> BindContext::row_tensor(int i) const {
  if (!has_input(i)) return unsupported("an input is missing");
  if (is_constant(i)) return unsupported("its input '" + program.values[op().inputs[i]].name + "' is constant");
  return as_row_tensor(*this, op().inputs[i]);
}

Result<RowTensor> BindContext::row_result() const { return as_row_tensor(*this, op().outputs[0]); }

Result<std::span<const uint8_t>> BindContext::constant_bytes(int i, DataType type) const {
  if (!is_constant(i)) return unsupported("its input " + std::to_string(i) + " is not constant");
  const format::Value& value = program.values[op().inputs[i]];
  if (value.type != type) return unsupported("constant '" + value.name + "' is not " + std::string(to_string(type)));
  return value.constant.bytes;
}

std::optional<kernels::Epilogue> epilogue_of(format::UnaryKind activation) {
  switch (activation) {
    case format::UnaryKind::kIdentity:
      return kernels::Epilogue::kNone;
    case format::UnaryKind::kRelu:
      return kernels::Epilogue::kRelu;
    case format::UnaryKind::kLeakyRelu:
      return kernels::Epilogue::kLeakyRelu;
    case format::UnaryKind::kClip:
      return kernels::Epilogue::kClip;
    default:
      return std::nullopt;
  }
}

Interval pool_reach(const format::Pool2dParams& p, size_t axis, Interval results, int size) {
  const int64_t reach = (p.kernel[axis] - 1) * p.dilation[axis];
  const auto low = static_cast<int>(results.begin * p.stride[axis] - p.pads[axis]);
  const auto high = static_cast<int>((results.end - 1) * p.stride[axis] - p.pads[axis] + reach + 1);
  const int first = std::clamp(low, 0, size - 1);
  return {first, std::clamp(high, first + 1, size)};
}

namespace {

Result<BoundRowOp> bind(const BindContext& context) {
  switch (context.op().kind()) {
    case format::OpKind::kConv2d:
      return bind_conv(context);
    case format::OpKind::kConvTranspose2d:
      return bind_conv_transpose(context);
    case format::OpKind::kUnary:
      return bind_unary(context);
    case format::OpKind::kPrelu:
      return bind_prelu(context);
    case format::OpKind::kBinary:
      return bind_binary(context);
    case format::OpKind::kConcat:
      return bind_concat(context);
    case format::OpKind::kSlice:
      return bind_slice(context);
    case format::OpKind::kPad:
      return bind_pad(context);
    case format::OpKind::kPool2d:
      return bind_pool(context);
    case format::OpKind::kResize:
      return bind_resize(context);
    case format::OpKind::kDepthToSpace:
      return bind_depth_to_space(context);
    case format::OpKind::kSpaceToDepth:
      return bind_space_to_depth(context);
    case format::OpKind::kQuantize:
      return bind_quantize(context);
    case format::OpKind::kQuantConv2d:
      return bind_quant_conv(context);
    case format::OpKind::kTranspose:
    case format::OpKind::kReshape:
      return context.unsupported("it moves data between rows");
    default:
      break;
  }
  return context.unsupported("it has no row kernel");
}

/// The kernel of operators whose kernel nothing but the machine decides.
std::string_view plain_kernel(const BindContext& context) {
  const auto name = [&]<typename Slot>(Slot) { return kernels::select<Slot>({}, context.capabilities)->name; };
  switch (context.op().kind()) {
    case format::OpKind::kUnary:
    case format::OpKind::kPrelu:
      return name(kernels::UnaryRowSlot{});
    case format::OpKind::kBinary:
      return context.is_constant(0) || context.is_constant(1) ? name(kernels::BinaryConstRowSlot{})
                                                              : name(kernels::BinaryRowSlot{});
    case format::OpKind::kPool2d:
      return name(kernels::BinaryRowSlot{});
    case format::OpKind::kResize:
      return name(kernels::ResampleRowHSlot{});
    case format::OpKind::kDepthToSpace:
      return name(kernels::InterleaveRowSlot{});
    case format::OpKind::kQuantize:
      return name(kernels::QuantizeRowSlot{});
    default:
      return {};
  }
}

}  // namespace

Result<BoundRowOp> make_row_op(const format::Program& program, size_t operator_index, std::span<const Shape> shapes,
                               const Capabilities& capabilities) {
  const BindContext context{program, operator_index, shapes, capabilities};
  COCO_ASSIGN(const RowTensor result, context.row_result());
  const format::Operator& op = context.op();
  const bool steps = program.values[op.inputs[0]].type == DataType::kU8 && !context.is_constant(0);
  const bool integers = steps || op.kind() == format::OpKind::kQuantConv2d;
  for (int32_t input : op.inputs) {
    if (input == format::kNoValue || program.values[input].is_constant()) continue;
    if (program.values[input].type != DataType::kF32 && !integers)
      return context.unsupported("value '" + program.values[input].name + "' is not f32");
  }
  const bool convolves = op.kind() == format::OpKind::kQuantConv2d;
  COCO_ASSIGN(BoundRowOp bound, steps && !convolves ? bind_steps(context) : bind(context));
  bound.result = result;
  if (bound.kernel.empty()) bound.kernel = plain_kernel(context);
  return bound;
}

}  // namespace coco::backends
