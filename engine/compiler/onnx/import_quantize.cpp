// QuantizeLinear and DequantizeLinear. Steps of s8 are carried as u8, 128 higher.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// Scale and zero point of either operator: one element each, or one per index of `axis`.
struct Linear {
  std::vector<float> scale;
  std::vector<int32_t> zero;  ///< as stored; one 0 where the model has none
  DataType type = DataType::kU8;
  int64_t axis = 0;
};

int32_t element(const Value& value, size_t i) {
  const auto* bytes = value.constant().bytes.data();
  if (value.type() == DataType::kS8) return static_cast<int8_t>(bytes[i]);
  if (value.type() == DataType::kU8) return bytes[i];
  int32_t number;
  std::memcpy(&number, bytes + i * sizeof(number), sizeof(number));
  return number;
}

size_t element_count(const Value& value) { return value.constant().bytes.size() / byte_size(value.type()); }

/// `type`: of the steps where the node has no zero point.
Result<Linear> read_linear(NodeContext& node, const Shape& x, DataType type) {
  Linear linear;
  linear.type = type;
  COCO_ASSIGN(const auto scale, node.constant_data(1, "scale"));
  linear.scale.assign(scale.begin(), scale.end());
  for (float s : linear.scale) {
    if (!std::isfinite(s) || s <= 0) return node.invalid("scale " + std::to_string(s) + " is no positive number");
  }
  linear.zero = {0};
  if (node.has_input(2)) {
    bool is_signed = false;
    COCO_ASSIGN(const Value* zero, node.integers(2, is_signed));
    if (zero == nullptr || !zero->is_constant()) return node.unsupported("input 'zero_point' must be a constant");
    linear.type = zero->type();
    linear.zero.clear();
    for (size_t i = 0; i < element_count(*zero); ++i) linear.zero.push_back(element(*zero, i));
  }
  const auto rank = static_cast<int64_t>(x.rank());
  const int64_t axis = node.opset() >= 13 ? node.get_int("axis", 1) : 0;
  linear.axis = axis < 0 ? axis + rank : axis;
  const size_t count = std::max(linear.scale.size(), linear.zero.size());
  for (size_t size : {linear.scale.size(), linear.zero.size()}) {
    const bool along = count > 1 && linear.axis >= 0 && linear.axis < rank && size == count &&
                       (x[static_cast<size_t>(linear.axis)] == kDynamicDim ||
                        x[static_cast<size_t>(linear.axis)] == static_cast<int64_t>(count));
    if (size != 1 && !along) return node.invalid("scale and zero point do not fit an input of shape " + x.to_string());
  }
  if (count == 1) linear.axis = 0;
  return linear;
}

/// Elements between neighbours along the axis.
size_t inner_size(const Shape& shape, int64_t axis) {
  size_t inner = 1;
  for (size_t i = static_cast<size_t>(axis) + 1; i < shape.rank(); ++i) inner *= static_cast<size_t>(shape[i]);
  return inner;
}

/// Weights that the model quantizes when it starts.
void quantize_constant(NodeContext& node, const Value& x, const Linear& linear) {
  const auto floats = x.floats();
  const size_t inner = inner_size(x.shape(), linear.axis);
  const float least = linear.type == DataType::kS8 ? -128.0f : 0.0f;
  std::vector<uint8_t> bytes(floats.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t at = i / inner;
    const float v = std::nearbyint(floats[i] / linear.scale[at % linear.scale.size()]);
    const auto zero = static_cast<float>(linear.zero[at % linear.zero.size()]);
    // In this order NaN becomes the least.
    bytes[i] = static_cast<uint8_t>(static_cast<int>(std::max(least, std::min(v + zero, least + 255.0f))));
  }
  node.set_steps(0, node.add_integers("steps", linear.type, x.shape(), bytes), false);
}

/// [C, 1, ..., 1] to stand along the axis of a tensor of that rank.
Shape along_axis(size_t count, size_t rank, int64_t axis) {
  if (count == 1) return Shape{};
  Shape shape(std::vector<int64_t>(rank - static_cast<size_t>(axis), 1));
  shape[0] = static_cast<int64_t>(count);
  return shape;
}

/// Scale and zero point, one each, are computed at run time.
Status quantize_with_values(NodeContext& node, Value* x) {
  COCO_ASSIGN(Value * scale, node.tensor(1));
  Value* zero = node.add_number("zero_point", DataType::kU8, 0);
  if (node.has_input(2)) {
    COCO_ASSIGN(zero, node.any(2));
  }
  if (scale->shape().element_count() != 1 || zero->shape().element_count() != 1) {
    return node.unsupported("scales along an axis that are computed at run time");
  }
  const DataType type = zero->type();
  const float least = type == DataType::kS8 ? -128.0f : 0.0f;
  COCO_ASSIGN(zero, node.add(format::CastParams{DataType::kF32}, {zero}));
  COCO_ASSIGN(Value * y, node.add(format::BinaryParams{format::BinaryKind::kDiv}, {x, scale}));
  COCO_ASSIGN(y, node.add(format::UnaryParams{format::UnaryKind::kRound}, {y}));
  COCO_ASSIGN(y, node.add(format::BinaryParams{format::BinaryKind::kAdd}, {y, zero}));
  COCO_ASSIGN(y, node.add(format::UnaryParams{format::UnaryKind::kClip, least, least + 255}, {y}));
  return node.finish(format::CastParams{type}, {y});
}

}  // namespace

// y = saturate(round_half_even(x / scale) + zero_point)
Status import_quantize_linear(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(const Value* step, node.tensor(1));
  if (!step->is_constant()) return quantize_with_values(node, x);
  COCO_ASSIGN(const Linear linear, read_linear(node, x->shape(), DataType::kU8));
  if (linear.type == DataType::kS32) return node.invalid("zero point is INT32, not UINT8 or INT8");
  if (x->is_constant()) return quantize_constant(node, *x, linear), Status();
  if (!std::equal(linear.zero.begin() + 1, linear.zero.end(), linear.zero.begin())) {
    return node.unsupported("zero points that differ along an axis, on values computed at run time");
  }
  const bool is_signed = linear.type == DataType::kS8;
  Value* scale =
      node.add_constant("scale", along_axis(linear.scale.size(), x->shape().rank(), linear.axis), linear.scale);
  COCO_ASSIGN(Value * scaled, node.add(format::BinaryParams{format::BinaryKind::kDiv}, {x, scale}));
  COCO_ASSIGN(Value * steps, node.add(format::QuantizeParams{1, linear.zero[0] + (is_signed ? 128 : 0)}, {scaled}));
  node.set_steps(0, steps, is_signed);
  return {};
}

// y = (x - zero_point) * scale
Status import_dequantize_linear(NodeContext& node) {
  bool is_signed = false;
  COCO_ASSIGN(Value * x, node.integers(0, is_signed));
  if (x == nullptr) return node.unsupported("input 'x' is not UINT8, INT8 or INT32");
  COCO_ASSIGN(Linear linear, read_linear(node, x->shape(), x->type()));
  if (is_signed) {
    for (int32_t& zero : linear.zero) zero += 128;
  }
  std::vector<Value*> inputs{
      x,
      node.add_constant("scale", linear.scale.size() == 1 ? Shape{} : Shape{static_cast<int64_t>(linear.scale.size())},
                        linear.scale)};
  if (std::any_of(linear.zero.begin(), linear.zero.end(), [](int32_t zero) { return zero != 0; })) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(linear.zero.data());
    inputs.push_back(node.add_integers("zero_point", DataType::kS32, Shape{static_cast<int64_t>(linear.zero.size())},
                                       {bytes, linear.zero.size() * sizeof(int32_t)}));
  }
  return node.finish(format::DequantizeParams{linear.axis}, std::move(inputs));
}

}  // namespace coco::compiler
