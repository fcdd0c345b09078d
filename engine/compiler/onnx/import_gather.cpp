// Gather, GatherElements, ScatterND, Expand, Tile, and the operators that choose or make elements.
#include <cmath>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// An optional scalar number that must be known.
Result<float> optional_scalar(NodeContext& node, size_t i, const char* role, float fallback) {
  if (!node.has_input(i)) return fallback;
  COCO_ASSIGN(const std::vector<float> values, node.constant_floats(i, role));
  if (values.size() != 1) return node.invalid("input '" + std::string(role) + "' must be one number");
  return values[0];
}

}  // namespace

Status import_gather(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(Value * indices, node.converted(1, DataType::kS64));
  format::GatherParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", 0), x->shape().rank()));
  return node.finish(params, {x, indices});
}

Status import_gather_elements(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(Value * indices, node.converted(1, DataType::kS64));
  format::GatherElementsParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", 0), x->shape().rank()));
  return node.finish(params, {x, indices});
}

Status import_scatter_nd(NodeContext& node) {
  const std::string reduction = node.get_string("reduction", "none");
  format::ScatterNdParams params;
  if (reduction != "none" && !format::from_string(reduction, params.kind)) {
    return node.unsupported("attribute 'reduction' = '" + reduction + "'; none, add and mul are supported");
  }
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(Value * indices, node.converted(1, DataType::kS64));
  COCO_ASSIGN(Value * updates, node.any(2));
  return node.finish(params, {x, indices, updates});
}

Status import_expand(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(std::vector<int64_t> shape, node.constant_ints(1, "shape"));
  return node.finish(format::ExpandParams{std::move(shape)}, {x});
}

Status import_tile(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(std::vector<int64_t> repeats, node.constant_ints(1, "repeats"));
  return node.finish(format::TileParams{std::move(repeats)}, {x});
}

// A tensor of one number.
Status import_constant_of_shape(NodeContext& node) {
  COCO_ASSIGN(std::vector<int64_t> shape, node.constant_ints(0, "input"));
  DataType type = DataType::kF32;
  double number = 0;
  if (const auto* attribute = node.find("value")) {
    COCO_ASSIGN(const HostTensor value, tensor_numbers(attribute->t()));
    if (value.size() != 1) return node.invalid("attribute 'value' must hold one element");
    type = value.type;
    number = value.values[0][0];
  }
  return node.finish(format::ExpandParams{std::move(shape)}, {node.add_number("value", type, number)});
}

// start, start + delta, ... below limit
Status import_range(NodeContext& node) {
  double numbers[3] = {0, 0, 1};
  static constexpr const char* kRoles[] = {"start", "limit", "delta"};
  COCO_ASSIGN(const Value* start, node.any(0));
  for (size_t i = 0; i < 3; ++i) {
    COCO_ASSIGN(const auto known, node.required_numbers(i, kRoles[i]));
    const auto value = known->size() == 1 ? known->constant(0) : std::nullopt;
    if (!value) return node.unsupported("input '" + std::string(kRoles[i]) + "' is not one constant number");
    numbers[i] = *value;
  }
  if (numbers[2] == 0) return node.invalid("input 'delta' is 0");
  const double count = std::max(0.0, std::ceil((numbers[1] - numbers[0]) / numbers[2]));
  if (!(count <= static_cast<double>(kMaxHostElements))) return node.unsupported("makes too long a list");
  std::vector<double> values;
  for (double i = 0; i < count; ++i) values.push_back(numbers[0] + i * numbers[2]);
  const Shape shape{static_cast<int64_t>(values.size())};
  node.set_output(0, HostTensor::of(start->type(), shape, std::move(values)));
  return {};
}

// Unused rows of the result hold -1: its size must not depend on the data.
Status import_non_max_suppression(NodeContext& node) {
  COCO_ASSIGN(Value * boxes, node.tensor(0));
  COCO_ASSIGN(Value * scores, node.tensor(1));
  format::NonMaxSuppressionParams params;
  COCO_ASSIGN(const float most, optional_scalar(node, 2, "max_output_boxes_per_class", 0));
  COCO_ASSIGN(params.overlap, optional_scalar(node, 3, "iou_threshold", 0));
  COCO_ASSIGN(params.threshold, optional_scalar(node, 4, "score_threshold", 0));
  params.most = static_cast<int64_t>(std::clamp<double>(most, 0, static_cast<double>(format::Limits::kMaxDim)));
  params.use_threshold = node.has_input(4);
  params.centered = node.get_int("center_point_box", 0) != 0;
  return node.finish(params, {boxes, scores});
}

Status import_grid_sample(NodeContext& node) {
  format::GridSampleParams params;
  const std::string mode = node.get_string("mode", "bilinear"), padding = node.get_string("padding_mode", "zeros");
  if (!format::from_string(mode, params.mode)) return node.unsupported("attribute 'mode' = '" + mode + "'");
  if (!format::from_string(padding, params.padding)) {
    return node.unsupported("attribute 'padding_mode' = '" + padding + "'");
  }
  params.align_corners = node.get_int("align_corners", 0) != 0;
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * grid, node.tensor(1));
  return node.finish(params, {x, grid});
}

}  // namespace coco::compiler
