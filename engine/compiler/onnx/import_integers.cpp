// Operators on quantized tensors beside QuantizeLinear and DequantizeLinear: written as those and the operators on
// numbers, from which the passes make integer convolutions again where they can.
#include <cmath>

#include "compiler/onnx/expand_node.h"
#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::ReduceKind;
using format::UnaryKind;
using graph::Value;

/// Input i in `type` less its zero point, input `zero`; `column`: a list of zero points belongs to the rows.
Result<Value*> without_zero(NodeContext& node, size_t i, size_t zero, DataType type, bool column) {
  COCO_ASSIGN(Value * x, node.converted(i, type));
  if (!node.has_input(zero)) return x;
  COCO_ASSIGN(Value * offset, node.converted(zero, type));
  const bool list = offset->shape().rank() == 1 && offset->shape()[0] != 1;
  if (column && list) {
    format::ReshapeParams params;
    params.shape = {-1, 1};
    COCO_ASSIGN(offset, node.add(params, {offset}));
  }
  return node.binary(BinaryKind::kSub, x, offset);
}

Result<float> scalar(NodeContext& node, size_t i, const char* role) {
  COCO_ASSIGN(const std::vector<float> values, node.constant_floats(i, role));
  if (values.size() != 1) return node.unsupported("input '" + std::string(role) + "' has more than one element");
  return values[0];
}

}  // namespace

// y = (A - a_zero) (B - b_zero) in 32-bit integers
Status import_matmul_integer(NodeContext& node) {
  COCO_ASSIGN(Value * a, without_zero(node, 0, 2, DataType::kS32, true));
  COCO_ASSIGN(Value * b, without_zero(node, 1, 3, DataType::kS32, false));
  return import_matmul_values(node, a, b);
}

// y = saturate(round((A - a_zero) (B - b_zero) a_scale b_scale / y_scale) + y_zero)
Status import_qlinear_matmul(NodeContext& node) {
  COCO_ASSIGN(Value * a, without_zero(node, 0, 2, DataType::kS32, true));
  COCO_ASSIGN(Value * b, without_zero(node, 3, 5, DataType::kS32, false));
  COCO_ASSIGN(const float a_scale, scalar(node, 1, "a_scale"));
  COCO_ASSIGN(const float b_scale, scalar(node, 4, "b_scale"));
  COCO_ASSIGN(const float y_scale, scalar(node, 6, "y_scale"));
  COCO_ASSIGN(const float y_zero, scalar(node, 7, "y_zero_point"));
  COCO_ASSIGN(const Value* zero, node.any(7));
  const double factor = static_cast<double>(a_scale) * b_scale / y_scale;
  if (!std::isfinite(factor) || factor <= 0) return node.invalid("a scale is no positive number");
  COCO_TRY(import_matmul_values(node, a, b));
  COCO_ASSIGN(Value * sums, node.materialise(node.proto().output(0)));
  COCO_ASSIGN(Value * numbers, node.add(format::CastParams{DataType::kF32}, {sums}));
  const bool is_signed = zero->type() == DataType::kS8;
  const format::QuantizeParams params{static_cast<float>(factor), static_cast<int64_t>(y_zero) + (is_signed ? 128 : 0)};
  COCO_ASSIGN(Value * steps, node.add(params, {numbers}));
  node.set_steps(0, steps, is_signed);
  return {};
}

// y = conv(x - x_zero, w - w_zero). The sums are made in f32: exact up to 2^24.
Status import_conv_integer(NodeContext& node) {
  COCO_ASSIGN(Value * x, without_zero(node, 0, 2, DataType::kF32, false));
  COCO_ASSIGN(Value * w, node.converted(1, DataType::kF32));
  if (node.has_input(3)) {
    COCO_ASSIGN(Value * zero, node.converted(3, DataType::kF32));
    if (zero->shape().rank() == 1 && zero->shape()[0] != 1) {
      format::ReshapeParams params;
      params.shape = {-1};
      params.shape.resize(w->shape().rank(), 1);
      COCO_ASSIGN(zero, node.add(params, {zero}));
    }
    COCO_ASSIGN(w, node.binary(BinaryKind::kSub, w, zero));
  }
  NodeExpansion expansion(node);
  expansion.define("x", x);
  expansion.define("w", w);
  COCO_TRY(expansion.add("Conv", {"x", "w"}, {"sums"}, true));
  COCO_ASSIGN(Value * sums, expansion.value("sums"));
  return node.finish(format::CastParams{DataType::kS32}, {sums});
}

// QuantizeLinear(Conv(DequantizeLinear(x), DequantizeLinear(w), DequantizeLinear(bias, x_scale * w_scale)))
Status import_qlinear_conv(NodeContext& node) {
  NodeExpansion expansion(node);
  COCO_TRY(expansion.add("DequantizeLinear", {"#0", "#1", "#2"}, {"x"}));
  COCO_TRY(expansion.add("DequantizeLinear", {"#3", "#4", "#5"}, {"w"}, false, {{"axis", 0}}));
  std::vector<std::string> inputs{"x", "w"};
  if (node.has_input(8)) {
    COCO_ASSIGN(Value * x_scale, node.tensor(1));
    COCO_ASSIGN(Value * w_scale, node.tensor(4));
    COCO_ASSIGN(Value * scale, node.binary(BinaryKind::kMul, x_scale, w_scale));
    expansion.define("bias_scale", scale);
    COCO_TRY(expansion.add("DequantizeLinear", {"#8", "bias_scale"}, {"bias"}, false, {{"axis", 0}}));
    inputs.push_back("bias");
  }
  COCO_TRY(expansion.add("Conv", inputs, {"y"}, true));
  return expansion.add("QuantizeLinear", {"y", "#6", "#7"}, {"=0"});
}

// The range of x, 0 included, in 256 steps: y = saturate(round(x / y_scale) + y_zero_point).
Status import_dynamic_quantize_linear(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  std::vector<int64_t> axes;
  for (size_t i = 0; i < x->shape().rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  Value* nothing = node.add_number("nothing", DataType::kF32, 0);
  Value* steps = node.add_number("steps", DataType::kF32, 255);
  const format::UnaryParams clip{UnaryKind::kClip, 0, 255};
  COCO_ASSIGN(Value * low, node.add(format::ReduceParams{ReduceKind::kMin, axes, false}, {x}));
  COCO_ASSIGN(Value * high, node.add(format::ReduceParams{ReduceKind::kMax, axes, false}, {x}));
  COCO_ASSIGN(low, node.binary(BinaryKind::kMin, low, nothing));
  COCO_ASSIGN(high, node.binary(BinaryKind::kMax, high, nothing));
  COCO_ASSIGN(Value * range, node.binary(BinaryKind::kSub, high, low));
  COCO_ASSIGN(Value * scale, node.binary(BinaryKind::kDiv, range, steps));
  COCO_ASSIGN(Value * below, node.binary(BinaryKind::kSub, nothing, low));
  COCO_ASSIGN(Value * zero, node.binary(BinaryKind::kDiv, below, scale));
  COCO_ASSIGN(zero, node.add(clip, {zero}));
  COCO_ASSIGN(zero, node.add(format::UnaryParams{UnaryKind::kRound}, {zero}));
  COCO_ASSIGN(Value * y, node.binary(BinaryKind::kDiv, x, scale));
  COCO_ASSIGN(y, node.add(format::UnaryParams{UnaryKind::kRound}, {y}));
  COCO_ASSIGN(y, node.binary(BinaryKind::kAdd, y, zero));
  COCO_ASSIGN(y, node.add(clip, {y}));
  COCO_ASSIGN(y, node.add(format::CastParams{DataType::kU8}, {y}));
  COCO_ASSIGN(zero, node.add(format::CastParams{DataType::kU8}, {zero}));
  node.set_output(0, y);
  node.set_output(1, scale);
  node.set_output(2, zero);
  return {};
}

}  // namespace coco::compiler
