// Reductions, Softmax and normalisation.
#include <numeric>

#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::ReduceKind;
using format::UnaryKind;
using graph::Value;

struct ReduceRow {
  std::string_view op;
  ReduceKind kind;
};

constexpr ReduceRow kReductions[] = {
    {"ReduceSum", ReduceKind::kSum},
    {"ReduceMean", ReduceKind::kMean},
    {"ReduceMax", ReduceKind::kMax},
    {"ReduceMin", ReduceKind::kMin},
    {"ReduceProd", ReduceKind::kProd},
    {"ReduceL1", ReduceKind::kL1},
    {"ReduceL2", ReduceKind::kL2},
    {"ReduceSumSquare", ReduceKind::kSumSquare},
    {"ReduceLogSum", ReduceKind::kLogSum},
    {"ReduceLogSumExp", ReduceKind::kLogSumExp},
    {"GlobalAveragePool", ReduceKind::kMean},
    {"GlobalMaxPool", ReduceKind::kMax},
};

ReduceKind reduce_kind(std::string_view op) {
  for (const ReduceRow& row : kReductions) {
    if (row.op == op) return row.kind;
  }
  return ReduceKind::kSum;
}

std::vector<int64_t> axes_from(int64_t first, size_t rank) {
  std::vector<int64_t> axes;
  for (int64_t i = first; i < static_cast<int64_t>(rank); ++i) axes.push_back(i);
  return axes;
}

/// The optional results of LayerNormalization: the mean, and 1 / sqrt(variance + epsilon).
Status set_moments(NodeContext& node, Value* x, const std::vector<int64_t>& axes, float epsilon) {
  const format::ReduceParams mean_of{ReduceKind::kMean, axes, true};
  COCO_ASSIGN(Value * mean, node.add(mean_of, {x}));
  node.set_output(1, mean);
  if (node.output_count() < 3) return {};
  COCO_ASSIGN(Value * centred, node.binary(BinaryKind::kSub, x, mean));
  COCO_ASSIGN(Value * squares, node.binary(BinaryKind::kMul, centred, centred));
  COCO_ASSIGN(Value * variance, node.add(mean_of, {squares}));
  COCO_ASSIGN(variance, node.binary(BinaryKind::kAdd, variance, node.add_number("epsilon", DataType::kF32, epsilon)));
  COCO_ASSIGN(Value * deviation, node.add(format::UnaryParams{UnaryKind::kSqrt}, {variance}));
  COCO_ASSIGN(Value * inverse, node.add(format::UnaryParams{UnaryKind::kReciprocal}, {deviation}));
  node.set_output(2, inverse);
  return {};
}

}  // namespace

// Axes: an attribute, or for ReduceSum from opset 13 on an input; none: all axes. Integers are reduced in f32.
Status import_reduce(NodeContext& node) {
  COCO_ASSIGN(const Value* original, node.any(0));
  COCO_ASSIGN(Value * x, node.converted(0, DataType::kF32));
  std::vector<int64_t> axes = node.get_ints("axes");
  if (node.has_input(1)) {
    COCO_ASSIGN(axes, node.constant_ints(1, "axes"));
  }
  const size_t rank = x->shape().rank();
  format::ReduceParams params{reduce_kind(node.proto().op_type()), {}, node.get_int("keepdims", 1) != 0};
  for (const int64_t axis : axes) {
    COCO_ASSIGN(const int64_t checked, node.checked_axis(axis, rank));
    params.axes.push_back(checked);
  }
  const bool nothing = axes.empty() && node.get_int("noop_with_empty_axes", 0) != 0;
  if (axes.empty() && !nothing) params.axes = axes_from(0, rank);
  COCO_ASSIGN(Value * result, node.add(params, {x}));
  if (original->type() != DataType::kF32) {
    COCO_ASSIGN(result, node.add(format::CastParams{original->type()}, {result}));
  }
  node.set_output(0, result);
  return {};
}

Status import_global_pool(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  if (x->shape().rank() < 3) return node.invalid("input " + x->shape().to_string() + " has no pixels");
  return node.finish(format::ReduceParams{reduce_kind(node.proto().op_type()), axes_from(2, x->shape().rank()), true},
                     {x});
}

Status import_arg_reduce(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.converted(0, DataType::kF32));
  format::ArgReduceParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", 0), x->shape().rank()));
  params.keep_dims = node.get_int("keepdims", 1) != 0;
  params.last = node.get_int("select_last_index", 0) != 0;
  params.smallest = node.proto().op_type() == "ArgMin";
  return node.finish(params, {x});
}

Status import_top_k(NodeContext& node) {
  COCO_ASSIGN(const Value* original, node.any(0));
  COCO_ASSIGN(Value * x, node.converted(0, DataType::kF32));
  format::TopKParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", -1), x->shape().rank()));
  params.k = node.get_int("k", 1);
  if (node.opset() >= 10) {
    COCO_ASSIGN(const std::vector<int64_t> k, node.constant_ints(1, "K"));
    if (k.size() != 1) return node.invalid("input 'K' must be one number");
    params.k = k[0];
  }
  params.smallest = node.get_int("largest", 1) == 0;
  COCO_ASSIGN(auto results, node.add_all(params, {x}));
  if (original->type() != DataType::kF32) {
    COCO_ASSIGN(results[0], node.add(format::CastParams{original->type()}, {results[0]}));
  }
  node.set_output(0, results[0]);
  node.set_output(1, results[1]);
  return {};
}

// Until opset 12 all axes from the given one on are one.
Status import_softmax(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  const bool together = node.opset() < 13;
  const size_t rank = x->shape().rank();
  format::SoftmaxParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", together ? 1 : -1), rank));
  params.end = together ? static_cast<int64_t>(rank) : params.axis + 1;
  params.log = node.proto().op_type() == "LogSoftmax";
  return node.finish(params, {x});
}

Status import_instance_normalization(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * scale, node.tensor(1));
  COCO_ASSIGN(Value * bias, node.tensor(2));
  if (scale->shape().rank() != 1 || scale->shape()[0] < 1) return node.invalid("scale is no list");
  return node.finish(format::GroupNormParams{scale->shape()[0], node.get_float("epsilon", 1e-5f)}, {x, scale, bias});
}

Status import_layer_normalization(NodeContext& node) {
  if (node.get_int("stash_type", 1) != 1) return node.unsupported("attribute 'stash_type' other than FLOAT");
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * scale, node.tensor(1));
  std::vector<Value*> inputs{x, scale};
  if (node.has_input(2)) {
    COCO_ASSIGN(Value * bias, node.tensor(2));
    inputs.push_back(bias);
  }
  format::LayerNormParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", -1), x->shape().rank()));
  params.epsilon = node.get_float("epsilon", 1e-5f);
  COCO_TRY(node.finish(params, inputs));
  if (node.output_count() < 2) return {};
  return set_moments(node, x, axes_from(params.axis, x->shape().rank()), params.epsilon);
}

}  // namespace coco::compiler
