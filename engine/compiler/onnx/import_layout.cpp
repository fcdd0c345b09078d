// Operators that move elements: Concat, Split, Slice, Pad, Transpose, DepthToSpace, SpaceToDepth.
#include <cmath>
#include <limits>

#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using graph::Value;

constexpr int64_t kToEnd = std::numeric_limits<int64_t>::max();

/// A slice bound that may follow a dynamic dimension: a constant, an offset from the end, or the end.
Result<int64_t> slice_bound(NodeContext& node, const Value* x, size_t axis, const HostTensor& bounds, size_t i,
                            const char* role) {
  if (const auto constant = bounds.constant(i)) return to_int(*constant);
  std::optional<int64_t> from_end;
  bool beyond = true, same = true;
  size_t known = 0;
  const TrialShapes& shapes = node.shapes(x);
  for (size_t k = 0; k < kTrials; ++k) {
    if (!shapes[k] || std::isnan(bounds.values[k][i])) continue;
    const int64_t offset = to_int(bounds.values[k][i]) - (*shapes[k])[axis];
    beyond = beyond && offset >= 0;
    same = same && (known == 0 || *from_end == offset);
    from_end = offset;
    ++known;
  }
  if (known >= kEnoughTrials && beyond) return kToEnd;
  if (known >= kEnoughTrials && same && *from_end < 0) return *from_end;
  return node.unsupported("input '" + std::string(role) +
                          "' depends on dynamic dimensions; give the model static input shapes");
}

Result<std::shared_ptr<const HostTensor>> list_input(NodeContext& node, size_t input, const char* name) {
  if (node.opset() >= 10) return node.required_numbers(input, name);
  std::vector<double> numbers;
  for (int64_t v : node.get_ints(name)) numbers.push_back(static_cast<double>(v));
  const auto count = static_cast<int64_t>(numbers.size());
  return std::make_shared<const HostTensor>(HostTensor::of(DataType::kS64, Shape{count}, std::move(numbers)));
}

/// The optional axes or steps of Slice.
Result<std::vector<int64_t>> optional_list(NodeContext& node, size_t input, const char* name) {
  if (node.opset() < 10) return node.get_ints(name);
  if (!node.has_input(input)) return std::vector<int64_t>{};
  return node.constant_ints(input, name);
}

}  // namespace

Status import_concat(NodeContext& node) {
  std::vector<Value*> inputs;
  for (size_t i = 0; i < node.input_count(); ++i) {
    COCO_ASSIGN(Value * input, node.any(i));
    inputs.push_back(input);
  }
  if (inputs.empty()) return node.invalid("has no inputs");
  format::ConcatParams params;
  COCO_ASSIGN(params.axis, node.checked_axis(node.get_int("axis", 1), inputs[0]->shape().rank()));
  return node.finish(params, inputs);
}

Status import_slice(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(const auto starts, list_input(node, 1, "starts"));
  COCO_ASSIGN(const auto ends, list_input(node, 2, "ends"));
  COCO_ASSIGN(std::vector<int64_t> axes, optional_list(node, 3, "axes"));
  COCO_ASSIGN(std::vector<int64_t> steps, optional_list(node, 4, "steps"));
  format::SliceParams params;
  const size_t count = starts->size();
  if (axes.empty()) {
    for (size_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(i));
  }
  if (steps.empty()) steps.assign(count, 1);
  if (ends->size() != count || axes.size() != count || steps.size() != count) {
    return node.invalid("starts, ends, axes and steps differ in length");
  }
  for (size_t i = 0; i < count; ++i) {
    COCO_ASSIGN(const int64_t axis, node.checked_axis(axes[i], x->shape().rank()));
    params.axes.push_back(axis);
    COCO_ASSIGN(const int64_t start, slice_bound(node, x, static_cast<size_t>(axis), *starts, i, "starts"));
    COCO_ASSIGN(const int64_t end, slice_bound(node, x, static_cast<size_t>(axis), *ends, i, "ends"));
    params.starts.push_back(start);
    params.ends.push_back(end);
  }
  params.steps = std::move(steps);
  return node.finish(params, {x});
}

// One Slice per part.
Status import_split(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(const int64_t axis, node.checked_axis(node.get_int("axis", 0), x->shape().rank()));
  std::vector<int64_t> parts = node.get_ints("split");
  if (node.opset() >= 13 && node.has_input(1)) {
    COCO_ASSIGN(parts, node.constant_ints(1, "split"));
  }
  const int64_t dim = x->shape()[static_cast<size_t>(axis)];
  const auto count = static_cast<int64_t>(node.output_count());
  if (parts.empty()) {
    if (dim == kDynamicDim) return node.unsupported("splits a dynamic dimension; give the model static input shapes");
    if (dim % count != 0) {
      return node.invalid("cannot split " + std::to_string(dim) + " elements in " + std::to_string(count) +
                          " equal parts");
    }
    parts.assign(static_cast<size_t>(count), dim / count);
  }
  if (static_cast<int64_t>(parts.size()) != count) return node.invalid("has another number of parts than of results");
  int64_t begin = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 0 || parts[i] > kToEnd - begin) return node.invalid("has a part out of bounds");
    format::SliceParams params{{axis}, {begin}, {begin + parts[i]}, {1}};
    COCO_ASSIGN(Value * part, node.add(params, {x}));
    node.set_output(i, part);
    begin += parts[i];
  }
  if (dim != kDynamicDim && begin != dim) {
    return node.invalid("splits " + std::to_string(begin) + " of " + std::to_string(dim) + " elements");
  }
  return {};
}

Status import_pad(NodeContext& node) {
  format::PadParams params;
  const std::string mode = node.get_string("mode", "constant");
  if (!format::from_string(mode, params.mode)) {
    return node.unsupported("attribute 'mode' = '" + mode + "'; constant, reflect and edge are supported");
  }
  COCO_ASSIGN(Value * x, node.any(0));
  if (node.opset() < 11) {
    params.pads = node.get_ints("pads");
    params.value = node.get_float("value", 0);
  } else {
    COCO_ASSIGN(params.pads, node.constant_ints(1, "pads"));
    if (node.has_input(2)) {
      COCO_ASSIGN(const std::vector<float> value, node.constant_floats(2, "constant_value"));
      if (value.size() > 1) return node.invalid("input 'constant_value' must be a scalar");
      if (!value.empty()) params.value = value[0];
    }
  }
  if (params.pads.size() != 2 * x->shape().rank()) {
    return node.invalid("has " + std::to_string(params.pads.size()) + " pads for " + std::to_string(x->shape().rank()) +
                        " dimensions");
  }
  return node.finish(params, {x});
}

Status import_transpose(NodeContext& node) {
  format::TransposeParams params;
  params.perm = node.get_ints("perm");
  if (const View* view = node.view(0)) {
    if (!view->perm.empty()) return node.unsupported("a second Transpose of a Reshape with several dynamic dimensions");
    View transposed = *view;
    transposed.perm = params.perm;
    node.set_output(0, std::move(transposed));
    return {};
  }
  COCO_ASSIGN(Value * x, node.any(0));
  if (params.perm.empty()) {
    for (size_t i = x->shape().rank(); i-- > 0;) params.perm.push_back(static_cast<int64_t>(i));
  }
  return node.finish(params, {x});
}

Status import_depth_to_space(NodeContext& node) {
  format::DepthToSpaceParams params;
  params.block = node.get_int("blocksize", 0);
  const std::string mode = node.get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return node.invalid("attribute 'mode' has the unknown value '" + mode + "'");
  params.mode = mode == "CRD" ? format::DepthToSpaceMode::kCrd : format::DepthToSpaceMode::kDcr;
  COCO_ASSIGN(Value * x, node.any(0));
  return node.finish(params, {x});
}

Status import_space_to_depth(NodeContext& node) {
  format::SpaceToDepthParams params;
  params.block = node.get_int("blocksize", 0);
  COCO_ASSIGN(Value * x, node.any(0));
  return node.finish(params, {x});
}

}  // namespace coco::compiler
