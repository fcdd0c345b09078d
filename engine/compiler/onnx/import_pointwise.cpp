// Operators on single elements, and those that do nothing at inference.
#include <limits>
#include <optional>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::UnaryKind;
using graph::Value;

struct UnaryRow {
  std::string_view op;
  UnaryKind kind;
  const char* a;  ///< the attribute's name, null: none
  float a_default;
  const char* b;
  float b_default;
};

constexpr UnaryRow kUnaries[] = {
    {"Relu", UnaryKind::kRelu, nullptr, 0, nullptr, 0},
    {"LeakyRelu", UnaryKind::kLeakyRelu, "alpha", 0.01f, nullptr, 0},
    {"ThresholdedRelu", UnaryKind::kThresholdedRelu, "alpha", 1, nullptr, 0},
    {"Sigmoid", UnaryKind::kSigmoid, nullptr, 0, nullptr, 0},
    {"HardSigmoid", UnaryKind::kHardSigmoid, "alpha", 0.2f, "beta", 0.5f},
    {"HardSwish", UnaryKind::kHardSwish, nullptr, 0, nullptr, 0},
    {"Tanh", UnaryKind::kTanh, nullptr, 0, nullptr, 0},
    {"Elu", UnaryKind::kElu, "alpha", 1, nullptr, 0},
    {"Selu", UnaryKind::kSelu, "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f},
    {"Softplus", UnaryKind::kSoftplus, nullptr, 0, nullptr, 0},
    {"Softsign", UnaryKind::kSoftsign, nullptr, 0, nullptr, 0},
    {"Erf", UnaryKind::kErf, nullptr, 0, nullptr, 0},
    {"Exp", UnaryKind::kExp, nullptr, 0, nullptr, 0},
    {"Log", UnaryKind::kLog, nullptr, 0, nullptr, 0},
    {"Sqrt", UnaryKind::kSqrt, nullptr, 0, nullptr, 0},
    {"Reciprocal", UnaryKind::kReciprocal, nullptr, 0, nullptr, 0},
    {"Neg", UnaryKind::kNeg, nullptr, 0, nullptr, 0},
    {"Abs", UnaryKind::kAbs, nullptr, 0, nullptr, 0},
    {"Sign", UnaryKind::kSign, nullptr, 0, nullptr, 0},
    {"Floor", UnaryKind::kFloor, nullptr, 0, nullptr, 0},
    {"Ceil", UnaryKind::kCeil, nullptr, 0, nullptr, 0},
    {"Round", UnaryKind::kRound, nullptr, 0, nullptr, 0},
    {"Sin", UnaryKind::kSin, nullptr, 0, nullptr, 0},
    {"Cos", UnaryKind::kCos, nullptr, 0, nullptr, 0},
    {"Tan", UnaryKind::kTan, nullptr, 0, nullptr, 0},
    {"Asin", UnaryKind::kAsin, nullptr, 0, nullptr, 0},
    {"Acos", UnaryKind::kAcos, nullptr, 0, nullptr, 0},
    {"Atan", UnaryKind::kAtan, nullptr, 0, nullptr, 0},
    {"Sinh", UnaryKind::kSinh, nullptr, 0, nullptr, 0},
    {"Cosh", UnaryKind::kCosh, nullptr, 0, nullptr, 0},
    {"Asinh", UnaryKind::kAsinh, nullptr, 0, nullptr, 0},
    {"Acosh", UnaryKind::kAcosh, nullptr, 0, nullptr, 0},
    {"Atanh", UnaryKind::kAtanh, nullptr, 0, nullptr, 0},
    {"Not", UnaryKind::kNot, nullptr, 0, nullptr, 0},
    {"IsNaN", UnaryKind::kIsNan, nullptr, 0, nullptr, 0},
};

struct BinaryRow {
  std::string_view op;
  BinaryKind kind;
};

constexpr BinaryRow kBinaries[] = {
    {"Add", BinaryKind::kAdd},
    {"Sub", BinaryKind::kSub},
    {"Mul", BinaryKind::kMul},
    {"Div", BinaryKind::kDiv},
    {"Min", BinaryKind::kMin},
    {"Max", BinaryKind::kMax},
    {"Sum", BinaryKind::kAdd},
    {"Mean", BinaryKind::kAdd},
    {"Equal", BinaryKind::kEqual},
    {"Less", BinaryKind::kLess},
    {"LessOrEqual", BinaryKind::kLessOrEqual},
    {"Greater", BinaryKind::kGreater},
    {"GreaterOrEqual", BinaryKind::kGreaterOrEqual},
    {"And", BinaryKind::kAnd},
    {"Or", BinaryKind::kOr},
    {"Xor", BinaryKind::kXor},
};

BinaryKind binary_kind(std::string_view op) {
  for (const BinaryRow& row : kBinaries) {
    if (row.op == op) return row.kind;
  }
  return BinaryKind::kAdd;
}

/// Clip bounds that are given as inputs, or the attributes of opsets before 11.
Result<Value*> clip_bound(NodeContext& node, size_t input, const char* name, DataType type) {
  if (node.opset() >= 11) {
    if (!node.has_input(input)) return nullptr;
    return node.any(input);
  }
  return node.has(name) ? node.add_number(name, type, static_cast<double>(node.get_float(name, 0))) : nullptr;
}

/// The one element of an f32 constant.
std::optional<float> scalar_of(const Value* value) {
  if (!value->is_constant() || value->type() != DataType::kF32 || value->floats().size() != 1) return std::nullopt;
  return value->floats()[0];
}

// Until opset 6 the second operand is broadcast only where an attribute says so, and stands at an axis of the first.
Result<Value*> second_operand(NodeContext& node, const Value* a) {
  COCO_ASSIGN(Value * b, node.any(1));
  if (node.opset() > 6 || !node.has("axis")) return b;
  const size_t rank = a->shape().rank();
  COCO_ASSIGN(const int64_t axis, node.checked_axis(node.get_int("axis", 0), rank));
  const auto behind = static_cast<int64_t>(rank) - axis - static_cast<int64_t>(b->shape().rank());
  if (behind < 0 || !b->shape().is_static()) return node.invalid("attribute 'axis' does not fit its inputs");
  format::ReshapeParams params;
  params.shape = b->shape().dims();
  params.shape.insert(params.shape.end(), static_cast<size_t>(behind), 1);
  params.allow_zero = true;
  return node.add(params, {b});
}

}  // namespace

Status import_binary(NodeContext& node) {
  COCO_ASSIGN(Value * a, node.any(0));
  COCO_ASSIGN(Value * b, second_operand(node, a));
  return node.finish(format::BinaryParams{binary_kind(node.proto().op_type())}, {a, b});
}

// Min, Max, Sum and Mean of any number of inputs.
Status import_variadic(NodeContext& node) {
  const std::string& op = node.proto().op_type();
  COCO_ASSIGN(Value * result, node.any(0));
  for (size_t i = 1; i < node.input_count(); ++i) {
    COCO_ASSIGN(Value * next, node.any(i));
    COCO_ASSIGN(result, node.add(format::BinaryParams{binary_kind(op)}, {result, next}));
  }
  if (op == "Mean") {
    Value* factor = node.add_number("factor", DataType::kF32, 1.0 / static_cast<double>(node.input_count()));
    return node.finish(format::BinaryParams{BinaryKind::kMul}, {result, factor});
  }
  node.set_output(0, result);
  return {};
}

// The result has the base's type; powers of integers are computed in f32.
Status import_pow(NodeContext& node) {
  COCO_ASSIGN(const Value* original, node.any(0));
  COCO_ASSIGN(Value * base, node.converted(0, DataType::kF32));
  COCO_ASSIGN(Value * exponent, node.converted(1, DataType::kF32));
  COCO_ASSIGN(Value * result, node.add(format::BinaryParams{BinaryKind::kPow}, {base, exponent}));
  if (original->type() != DataType::kF32) {
    COCO_ASSIGN(result, node.add(format::CastParams{original->type()}, {result}));
  }
  node.set_output(0, result);
  return {};
}

Status import_mod(NodeContext& node) {
  COCO_ASSIGN(Value * a, node.any(0));
  COCO_ASSIGN(Value * b, node.any(1));
  const BinaryKind kind = node.get_int("fmod", 0) != 0 ? BinaryKind::kFmod : BinaryKind::kMod;
  return node.finish(format::BinaryParams{kind}, {a, b});
}

Status import_where(NodeContext& node) {
  COCO_ASSIGN(Value * condition, node.any(0));
  COCO_ASSIGN(Value * a, node.any(1));
  COCO_ASSIGN(Value * b, node.any(2));
  return node.finish(format::WhereParams{}, {condition, a, b});
}

Status import_unary(NodeContext& node) {
  const std::string& op = node.proto().op_type();
  for (const UnaryRow& row : kUnaries) {
    if (row.op != op) continue;
    format::UnaryParams params{row.kind, 0, 0};
    if (row.a != nullptr) params.a = node.get_float(row.a, row.a_default);
    if (row.b != nullptr) params.b = node.get_float(row.b, row.b_default);
    COCO_ASSIGN(Value * x, node.any(0));
    return node.finish(params, {x});
  }
  return node.unsupported("operator " + op + " is not known");
}

Status import_is_inf(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  const auto detects = [&](const char* name) { return node.get_int(name, 1) != 0 ? 1.0f : 0.0f; };
  return node.finish(format::UnaryParams{UnaryKind::kIsInf, detects("detect_negative"), detects("detect_positive")},
                     {x});
}

Status import_prelu(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * slope, node.tensor(1));
  const size_t rank = x->shape().rank();
  if (node.opset() < 7 && slope->shape().rank() == 1 && slope->shape()[0] != 1 && rank > 2) {
    format::ReshapeParams params;  // one slope per channel
    params.shape.assign(rank - 1, 1);
    params.shape[0] = slope->shape()[0];
    COCO_ASSIGN(slope, node.add(params, {slope}));
  }
  return node.finish(format::PreluParams{}, {x, slope});
}

// With constant bounds a pointwise function, otherwise (and on integers) a maximum and a minimum.
Status import_clip(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(Value * low, clip_bound(node, 1, "min", x->type()));
  COCO_ASSIGN(Value * high, clip_bound(node, 2, "max", x->type()));
  format::UnaryParams params{UnaryKind::kClip, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
  const auto is_constant = [&](const Value* bound, float& value) {
    if (bound == nullptr) return true;
    const auto scalar = scalar_of(bound);
    value = scalar.value_or(value);
    return scalar.has_value();
  };
  if (x->type() == DataType::kF32 && is_constant(low, params.a) && is_constant(high, params.b)) {
    return node.finish(params, {x});
  }
  if (low != nullptr) {
    COCO_ASSIGN(x, node.add(format::BinaryParams{BinaryKind::kMax}, {x, low}));
  }
  if (high != nullptr) {
    COCO_ASSIGN(x, node.add(format::BinaryParams{BinaryKind::kMin}, {x, high}));
  }
  node.set_output(0, x);
  return {};
}

Status import_cast(NodeContext& node) {
  const auto to = static_cast<int>(node.get_int("to", onnx::TensorProto::FLOAT));
  if (!is_float_type(to) && !is_integer_type(to)) return node.unsupported("attribute 'to' = " + type_name(to));
  bool is_signed = false;
  COCO_ASSIGN(Value * steps, node.integers(0, is_signed));
  if (is_float_type(to) && steps != nullptr && steps->type() == DataType::kU8 && !is_signed) {
    // The first operator of a network that takes 8-bit pictures.
    return node.finish(format::DequantizeParams{0}, {steps, node.add_number("scale", DataType::kF32, 1)});
  }
  COCO_ASSIGN(Value * x, node.converted(0, engine_type(to)));
  node.set_output(0, x);
  return {};
}

Status import_identity(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  node.set_output(0, x);
  return {};
}

Status import_dropout(NodeContext& node) {
  if (node.has_input(2)) {
    COCO_ASSIGN(const std::vector<int64_t> training, node.constant_ints(2, "training_mode"));
    if (training.size() != 1 || training[0] != 0) {
      return node.unsupported("input 'training_mode' is true; export the model in evaluation mode");
    }
  }
  COCO_ASSIGN(Value * x, node.any(0));
  node.set_output(0, x);
  if (node.output_count() < 2) return {};
  if (!x->shape().is_static()) return node.unsupported("output 'mask' of dynamic dimensions");
  COCO_ASSIGN(Value * mask,
              node.add(format::ExpandParams{x->shape().dims()}, {node.add_number("mask", DataType::kBool, 1)}));
  node.set_output(1, mask);
  return {};
}

}  // namespace coco::compiler
