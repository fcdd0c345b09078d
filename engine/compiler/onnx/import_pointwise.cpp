// Add, Sub, Mul, Div, activations, and the operators that do nothing at inference.
#include <limits>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {

using graph::Value;

Status import_binary(NodeContext& node) {
  const std::string& op = node.proto().op_type();
  format::BinaryParams params;
  if (op == "Sub") params.kind = format::BinaryKind::kSub;
  if (op == "Mul") params.kind = format::BinaryKind::kMul;
  if (op == "Div") params.kind = format::BinaryKind::kDiv;
  COCO_ASSIGN(Value * a, node.tensor(0));
  COCO_ASSIGN(Value * b, node.tensor(1));
  return node.finish(params, {a, b});
}

Status import_unary(NodeContext& node) {
  const std::string& op = node.proto().op_type();
  format::UnaryParams params;
  if (op == "Relu") params.kind = format::UnaryKind::kRelu;
  if (op == "Sigmoid") params.kind = format::UnaryKind::kSigmoid;
  if (op == "Tanh") params.kind = format::UnaryKind::kTanh;
  if (op == "LeakyRelu") {
    params.kind = format::UnaryKind::kLeakyRelu;
    params.a = node.get_float("alpha", 0.01f);
  }
  COCO_ASSIGN(Value * x, node.tensor(0));
  return node.finish(params, {x});
}

Status import_prelu(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * slope, node.tensor(1));
  return node.finish(format::PreluParams{}, {x, slope});
}

Status import_clip(NodeContext& node) {
  format::UnaryParams params;
  params.kind = format::UnaryKind::kClip;
  params.a = std::numeric_limits<float>::lowest();
  params.b = std::numeric_limits<float>::max();
  if (node.opset() < 11) {
    params.a = node.get_float("min", params.a);
    params.b = node.get_float("max", params.b);
  } else {
    float* bounds[] = {&params.a, &params.b};
    static constexpr const char* kRoles[] = {"min", "max"};
    for (size_t i = 0; i < 2; ++i) {
      if (!node.has_input(i + 1)) continue;
      COCO_ASSIGN(const std::vector<float> bound, node.constant_floats(i + 1, kRoles[i]));
      if (bound.size() != 1) return node.invalid("input '" + std::string(kRoles[i]) + "' must be a scalar");
      *bounds[i] = bound[0];
    }
  }
  COCO_ASSIGN(Value * x, node.tensor(0));
  return node.finish(params, {x});
}

Status import_cast(NodeContext& node) {
  const auto to = static_cast<int>(node.get_int("to", onnx::TensorProto::FLOAT));
  if (!is_float_type(to)) {
    return node.unsupported("attribute 'to' = " + type_name(to) +
                            " at run time; only casts to floating-point types are supported");
  }
  bool is_signed = false;
  COCO_ASSIGN(Value * steps, node.integers(0, is_signed));
  if (steps != nullptr && !is_signed) {
    const float one = 1;
    return node.finish(format::DequantizeParams{0}, {steps, node.add_constant("scale", Shape{}, {&one, 1})});
  }
  return import_identity(node);
}

Status import_identity(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
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
  return import_identity(node);
}

}  // namespace coco::compiler
