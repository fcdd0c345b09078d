// Reshape, Squeeze, Unsqueeze, also where several dimensions are dynamic.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compiler/onnx/import_ops.h"
#include "compiler/shuffle_pattern.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// What `wanted` (ONNX's 0 and -1 included) makes of `in` in one trial.
std::optional<Shape> resolve_shape(const Shape& in, const std::vector<double>& wanted, bool allow_zero) {
  std::vector<int64_t> dims;
  std::optional<size_t> open;
  int64_t known = 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i])) return std::nullopt;
    int64_t dim = to_int(wanted[i]);
    if (dim == 0 && !allow_zero) {
      if (i >= in.rank()) return std::nullopt;
      dim = in[i];
    }
    if (dim == -1) {
      if (open) return std::nullopt;
      open = i;
    } else if (dim < 0 || dim > (int64_t{1} << 31) || __builtin_mul_overflow(known, dim, &known)) {
      return std::nullopt;
    }
    dims.push_back(dim);
  }
  const auto count = in.element_count();
  if (!count) return std::nullopt;
  if (open) {
    if (known == 0 || *count % known != 0) return std::nullopt;
    dims[*open] = *count / known;
  } else if (known != *count) {
    return std::nullopt;
  }
  return Shape(std::move(dims));
}

TrialShapes resolve_trials(const TrialShapes& in, const HostTensor& wanted, bool allow_zero) {
  TrialShapes out;
  for (size_t k = 0; k < kTrials; ++k) {
    if (in[k]) out[k] = resolve_shape(*in[k], wanted.values[k], allow_zero);
  }
  return out;
}

/// Reshape parameters that give the wanted shape for every input size, if they exist.
std::optional<format::ReshapeParams> express(NodeContext& node, const Value* x, const HostTensor& wanted,
                                             bool allow_zero) {
  format::ReshapeParams params;
  params.allow_zero = allow_zero;
  const TrialShapes& shapes = node.shapes(x);
  bool open = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto constant = wanted.constant(i);
    bool copies = !allow_zero && i < x->shape().rank();
    size_t known = 0;
    for (size_t k = 0; k < kTrials && copies; ++k) {
      if (!shapes[k] || std::isnan(wanted.values[k][i])) continue;
      ++known;
      copies = to_int(wanted.values[k][i]) == (*shapes[k])[i];
    }
    if (constant) {
      params.shape.push_back(to_int(*constant));
      if (*constant == -1 && open) return std::nullopt;
      open = open || *constant == -1;
    } else if (copies && known >= kEnoughTrials) {
      params.shape.push_back(0);
    } else if (!open) {
      params.shape.push_back(-1);
      open = true;
    } else {
      return std::nullopt;
    }
  }
  return params;
}

Status reshape_value(NodeContext& node, Value* x, const HostTensor& wanted, bool allow_zero) {
  if (auto params = express(node, x, wanted, allow_zero)) return node.finish(*params, {x});
  node.set_output(0, View{x, resolve_trials(node.shapes(x), wanted, allow_zero), {}});
  return {};
}

/// The last Reshape of a chain with several dynamic dimensions: together they must be a pixel shuffle.
Status reshape_view(NodeContext& node, const View& view, const HostTensor& wanted, bool allow_zero) {
  TrialShapes between = view.shape;
  for (auto& shape : between) {
    if (!shape || view.perm.empty()) continue;
    std::vector<int64_t> dims;
    for (int64_t axis : view.perm) {
      if (axis < 0 || axis >= static_cast<int64_t>(shape->rank())) return node.invalid("reads a bad Transpose");
      dims.push_back((*shape)[static_cast<size_t>(axis)]);
    }
    shape = Shape(std::move(dims));
  }
  const TrialShapes out = resolve_trials(between, wanted, allow_zero);
  const TrialShapes& in = node.shapes(view.base);
  format::OpParams found;
  bool agree = true;
  size_t known = 0;
  for (size_t k = 0; k < kTrials && agree; ++k) {
    if (!in[k] || !view.shape[k] || !out[k]) continue;
    const format::OpParams match = match_shuffle(*in[k], *view.shape[k], view.perm, *out[k]);
    auto block = [](const format::OpParams& p) -> std::pair<int64_t, int> {
      if (const auto* d = std::get_if<format::DepthToSpaceParams>(&p)) return {d->block, static_cast<int>(d->mode)};
      if (const auto* s = std::get_if<format::SpaceToDepthParams>(&p)) return {s->block, -1};
      return {0, 0};
    };
    agree = block(match).first != 0 && (found.index() == 0 || block(match) == block(found));
    found = match;
    ++known;
  }
  if (!agree || known < kEnoughTrials) {
    return node.unsupported(
        "a Reshape with several dynamic dimensions that is not part of a pixel shuffle; give the "
        "model static input shapes");
  }
  return node.finish(std::move(found), {view.base});
}

/// The axes of Squeeze and Unsqueeze: an attribute until opset 12, an input from 13 on.
Result<std::vector<int64_t>> read_axes(NodeContext& node) {
  if (node.opset() < 13) return node.get_ints("axes");
  if (!node.has_input(1)) return std::vector<int64_t>{};
  return node.constant_ints(1, "axes");
}

/// Shape numbers of a value, with the dimension list edited alike in every trial.
template <typename Edit>
HostTensor edited_shape(NodeContext& node, const Value* x, Edit edit) {
  HostTensor wanted{DataType::kS64, Shape{}, {}};
  for (size_t k = 0; k < kTrials; ++k) {
    const auto& shape = node.shapes(x)[k];
    std::vector<double> dims;
    for (size_t i = 0; i < x->shape().rank(); ++i) {
      dims.push_back(shape ? static_cast<double>((*shape)[i]) : std::nan(""));
    }
    edit(dims);
    wanted.values[k] = std::move(dims);
  }
  wanted.shape = Shape{static_cast<int64_t>(wanted.size())};
  return wanted;
}

}  // namespace

Status import_reshape(NodeContext& node) {
  COCO_ASSIGN(const auto wanted, node.required_numbers(1, "shape"));
  size_t open = 0;
  for (size_t i = 0; i < wanted->size(); ++i) open += wanted->constant(i) == -1.0 ? 1 : 0;
  if (open > 1) return node.invalid("'shape' has several dimensions of -1; only one can follow from the others");
  const bool allow_zero = node.get_int("allowzero", 0) != 0;
  if (const View* view = node.view(0)) return reshape_view(node, *view, *wanted, allow_zero);
  COCO_ASSIGN(Value * x, node.any(0));
  return reshape_value(node, x, *wanted, allow_zero);
}

// The dimensions before the axis as one, those from it on as another.
Status import_flatten(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  const auto rank = static_cast<int64_t>(x->shape().rank());
  int64_t axis = node.get_int("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return node.invalid("has an axis out of bounds");
  const HostTensor wanted = edited_shape(node, x, [axis](std::vector<double>& dims) {
    const auto product = [](auto begin, auto end) { return std::accumulate(begin, end, 1.0, std::multiplies<>()); };
    dims = {product(dims.begin(), dims.begin() + axis), product(dims.begin() + axis, dims.end())};
  });
  return reshape_value(node, x, wanted, true);
}

Status import_squeeze(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(std::vector<int64_t> axes, read_axes(node));
  const auto rank = static_cast<int64_t>(x->shape().rank());
  if (axes.empty()) {
    for (int64_t i = 0; i < rank; ++i) {
      if (x->shape()[static_cast<size_t>(i)] == 1) axes.push_back(i);
    }
  }
  for (int64_t& axis : axes) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank || x->shape()[static_cast<size_t>(axis)] != 1) {
      return node.unsupported("squeezes axis " + std::to_string(axis) + " of shape " + x->shape().to_string());
    }
  }
  std::sort(axes.begin(), axes.end(), std::greater<>());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const HostTensor wanted = edited_shape(node, x, [&](std::vector<double>& dims) {
    for (int64_t axis : axes) dims.erase(dims.begin() + axis);
  });
  return reshape_value(node, x, wanted, false);
}

Status import_unsqueeze(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.any(0));
  COCO_ASSIGN(std::vector<int64_t> axes, read_axes(node));
  const auto rank = static_cast<int64_t>(x->shape().rank() + axes.size());
  for (int64_t& axis : axes) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return node.invalid("has an axis out of bounds");
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return node.invalid("repeats an axis");
  const HostTensor wanted = edited_shape(node, x, [&](std::vector<double>& dims) {
    for (int64_t axis : axes) dims.insert(dims.begin() + axis, 1.0);
  });
  return reshape_value(node, x, wanted, false);
}

}  // namespace coco::compiler
