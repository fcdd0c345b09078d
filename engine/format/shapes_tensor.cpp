// Shape rules of products, reductions, normalisation, gathering and selection.
#include <algorithm>
#include <cmath>

#include "format/shape_rules.h"

namespace coco::format {
namespace {

Status check_axis(int64_t axis, const Shape& x) {
  return check_range("axis", axis, 0, static_cast<int64_t>(x.rank()) - 1);
}

Status check_epsilon(float epsilon) {
  if (std::isfinite(epsilon) && epsilon >= 0) return {};
  return shape_error("epsilon is not 0 or greater");
}

// The dimensions of x that are left when the axes are reduced.
Shape reduced(const Shape& x, const std::array<bool, Limits::kMaxRank>& axes, bool keep_dims) {
  std::vector<int64_t> dims;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (!axes[i]) dims.push_back(x[i]);
    if (axes[i] && keep_dims) dims.push_back(1);
  }
  return Shape(std::move(dims));
}

// The product of two dimensions that are known or not; both at most kMaxDim.
int64_t product(int64_t a, int64_t b) { return is_dynamic(a) || is_dynamic(b) ? kDynamicDim : a * b; }

}  // namespace

Result<Shape> shape_rule(const MatMulParams& p, InputShapes in) {
  const Shape &a = *in[0], &b = *in[1];
  if (a.rank() < 2 || b.rank() < 2) return shape_error(a.to_string() + " times " + b.to_string() + " has no matrices");
  const auto dim = [](const Shape& x, bool transposed, size_t i) { return x[x.rank() - 2 + (transposed ? 1 - i : i)]; };
  if (!may_equal(dim(a, p.transpose_a, 1), dim(b, p.transpose_b, 0))) {
    return shape_error(a.to_string() + " times " + b.to_string() + ": the inner dimensions differ");
  }
  const auto lead = [](const Shape& x) { return Shape(std::vector<int64_t>(x.dims().begin(), x.dims().end() - 2)); };
  COCO_ASSIGN(const Shape batch, broadcast_shapes(lead(a), lead(b)));
  std::vector<int64_t> dims = batch.dims();
  dims.push_back(dim(a, p.transpose_a, 0));
  dims.push_back(dim(b, p.transpose_b, 1));
  COCO_TRY(check_per_channel("bias", in[2], dims.back()));
  return Shape(std::move(dims));
}

Result<Shape> shape_rule(const ReduceParams& p, InputShapes in) {
  std::array<bool, Limits::kMaxRank> axes{};
  for (const int64_t axis : p.axes) {
    COCO_TRY(check_axis(axis, *in[0]));
    if (axes[static_cast<size_t>(axis)]) return shape_error("axis " + std::to_string(axis) + " is given twice");
    axes[static_cast<size_t>(axis)] = true;
  }
  return reduced(*in[0], axes, p.keep_dims);
}

Result<Shape> shape_rule(const ArgReduceParams& p, InputShapes in) {
  COCO_TRY(check_axis(p.axis, *in[0]));
  if ((*in[0])[static_cast<size_t>(p.axis)] == 0) return shape_error("there is nothing along the axis to choose from");
  std::array<bool, Limits::kMaxRank> axes{};
  axes[static_cast<size_t>(p.axis)] = true;
  return reduced(*in[0], axes, p.keep_dims);
}

Result<std::vector<Shape>> shape_rule(const TopKParams& p, InputShapes in) {
  COCO_TRY(check_axis(p.axis, *in[0]));
  Shape out = *in[0];
  int64_t& dim = out[static_cast<size_t>(p.axis)];
  COCO_TRY(check_range("k", p.k, 0, is_dynamic(dim) ? Limits::kMaxDim : dim));
  dim = p.k;
  return std::vector<Shape>{out, out};
}

Result<Shape> shape_rule(const SoftmaxParams& p, InputShapes in) {
  const auto rank = static_cast<int64_t>(in[0]->rank());
  COCO_TRY(check_range("end", p.end, 1, rank));
  COCO_TRY(check_range("axis", p.axis, 0, p.end - 1));
  return *in[0];
}

Result<Shape> shape_rule(const LayerNormParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_TRY(check_axis(p.axis, x));
  COCO_TRY(check_epsilon(p.epsilon));
  for (size_t i = 1; i < 3; ++i) {
    if (in[i] && !broadcasts_to(*in[i], x)) {
      return shape_error((i == 1 ? "scale " : "bias ") + in[i]->to_string() + " does not broadcast to " +
                         x.to_string());
    }
  }
  return x;
}

Result<Shape> shape_rule(const GroupNormParams& p, InputShapes in) {
  const Shape& x = *in[0];
  if (x.rank() < 2) return shape_error("input " + x.to_string() + " is not [N, C, ...]");
  COCO_TRY(check_range("groups", p.groups, 1, Limits::kMaxDim));
  COCO_TRY(check_epsilon(p.epsilon));
  if (!is_dynamic(x[1]) && x[1] % p.groups != 0) {
    return shape_error(std::to_string(x[1]) + " channels do not split into " + std::to_string(p.groups) + " groups");
  }
  COCO_TRY(check_per_channel("scale", in[1], x[1]));
  COCO_TRY(check_per_channel("bias", in[2], x[1]));
  return x;
}

Result<Shape> shape_rule(const GatherParams& p, InputShapes in) {
  const Shape &x = *in[0], &indices = *in[1];
  COCO_TRY(check_axis(p.axis, x));
  const auto axis = static_cast<ptrdiff_t>(p.axis);
  if (x[static_cast<size_t>(axis)] == 0 && indices.element_count() != 0) {
    return shape_error("there is nothing along the axis to gather");
  }
  std::vector<int64_t> dims(x.dims().begin(), x.dims().begin() + axis);
  dims.insert(dims.end(), indices.dims().begin(), indices.dims().end());
  dims.insert(dims.end(), x.dims().begin() + axis + 1, x.dims().end());
  return Shape(std::move(dims));
}

Result<Shape> shape_rule(const GatherElementsParams& p, InputShapes in) {
  const Shape &x = *in[0], &indices = *in[1];
  COCO_TRY(check_axis(p.axis, x));
  bool fits = x.rank() == indices.rank();
  for (size_t i = 0; fits && i < x.rank(); ++i) {
    if (is_dynamic(x[i]) || is_dynamic(indices[i])) continue;
    fits = i == static_cast<size_t>(p.axis) ? x[i] > 0 || indices[i] == 0 : indices[i] <= x[i];
  }
  if (!fits) return shape_error("indices " + indices.to_string() + " do not fit " + x.to_string());
  return indices;
}

Result<Shape> shape_rule(const ScatterNdParams&, InputShapes in) {
  const Shape &x = *in[0], &indices = *in[1], &updates = *in[2];
  if (indices.rank() < 1 || is_dynamic(indices[indices.rank() - 1])) {
    return shape_error("indices " + indices.to_string() + " have no known last dimension");
  }
  const int64_t depth = indices[indices.rank() - 1];
  COCO_TRY(check_range("the length of an index", depth, 1, static_cast<int64_t>(x.rank())));
  std::vector<int64_t> dims(indices.dims().begin(), indices.dims().end() - 1);
  dims.insert(dims.end(), x.dims().begin() + static_cast<ptrdiff_t>(depth), x.dims().end());
  const Shape wanted(std::move(dims));
  if (!may_equal(updates, wanted)) {
    return shape_error("updates " + updates.to_string() + " are not " + wanted.to_string());
  }
  return x;
}

Result<Shape> shape_rule(const ExpandParams& p, InputShapes in) {
  if (p.shape.size() > Limits::kMaxRank) return shape_error("the wanted shape has too many dimensions");
  for (const int64_t dim : p.shape) COCO_TRY(check_range("a wanted dimension", dim, 0, Limits::kMaxDim));
  return broadcast_shapes(*in[0], Shape(p.shape));
}

Result<Shape> shape_rule(const TileParams& p, InputShapes in) {
  Shape out = *in[0];
  if (p.repeats.size() != out.rank()) {
    return shape_error(std::to_string(p.repeats.size()) + " repeats for " + std::to_string(out.rank()) + " dimensions");
  }
  for (size_t i = 0; i < out.rank(); ++i) {
    COCO_TRY(check_range("repeats", p.repeats[i], 0, Limits::kMaxDim));
    out[i] = product(out[i], p.repeats[i]);
  }
  return out;
}

Result<Shape> shape_rule(const NonMaxSuppressionParams& p, InputShapes in) {
  const Shape &boxes = *in[0], &scores = *in[1];
  const bool fits = boxes.rank() == 3 && scores.rank() == 3 && may_equal(boxes[0], scores[0]) &&
                    may_equal(boxes[1], scores[2]) && may_equal(boxes[2], 4);
  if (!fits) {
    return shape_error("boxes " + boxes.to_string() + " and scores " + scores.to_string() +
                       " are not [N, B, 4] and [N, C, B]");
  }
  COCO_TRY(check_range("most", p.most, 0, Limits::kMaxDim));
  if (std::isnan(p.overlap) || std::isnan(p.threshold)) return shape_error("a threshold is not a number");
  const int64_t most = is_dynamic(boxes[1]) ? kDynamicDim : std::min(p.most, boxes[1]);
  const int64_t tasks = product(scores[0], scores[1]);
  COCO_TRY(check_range("the number of pictures times classes", is_dynamic(tasks) ? 0 : tasks, 0, Limits::kMaxDim));
  return Shape{product(tasks, most), 3};
}

Result<Shape> shape_rule(const GridSampleParams&, InputShapes in) {
  const Shape &x = *in[0], &grid = *in[1];
  const bool fits = x.rank() == 4 && grid.rank() == 4 && may_equal(x[0], grid[0]) && may_equal(grid[3], 2);
  if (!fits) {
    return shape_error("input " + x.to_string() + " and grid " + grid.to_string() +
                       " are not [N, C, H, W] and [N, oh, ow, 2]");
  }
  if (x[2] == 0 || x[3] == 0) return shape_error("the input has no samples");
  return Shape{x[0], x[1], grid[1], grid[2]};
}

namespace {

// What Lstm and Gru share: `gates` rows of weights for each unit, and the shapes of all results.
template <typename Params>
Result<std::vector<Shape>> recurrent_shapes(const Params& p, InputShapes in, int64_t gates, size_t results) {
  COCO_TRY(check_range("hidden", p.hidden, 1, 1 << 16));
  const Shape& x = *in[0];
  if (x.rank() != 3) return shape_error("input " + x.to_string() + " is not [T, N, I]");
  const int64_t directions = p.direction == Direction::kBidirectional ? 2 : 1;
  const Shape state{directions, x[1], p.hidden};
  const std::array<std::pair<const char*, Shape>, 8> wanted{{{"x", x},
                                                             {"w", Shape{directions, gates * p.hidden, x[2]}},
                                                             {"r", Shape{directions, gates * p.hidden, p.hidden}},
                                                             {"bias", Shape{directions, 2 * gates * p.hidden}},
                                                             {"lengths", Shape{x[1]}},
                                                             {"initial_h", state},
                                                             {"initial_c", state},
                                                             {"peepholes", Shape{directions, 3 * p.hidden}}}};
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] && !may_equal(*in[i], wanted[i].second)) {
      return shape_error(std::string(wanted[i].first) + " " + in[i]->to_string() + " is not " +
                         wanted[i].second.to_string());
    }
  }
  std::vector<Shape> shapes{Shape{x[0], directions, x[1], p.hidden}};
  shapes.resize(results, state);
  return shapes;
}

}  // namespace

Result<std::vector<Shape>> shape_rule(const LstmParams& p, InputShapes in) { return recurrent_shapes(p, in, 4, 3); }
Result<std::vector<Shape>> shape_rule(const GruParams& p, InputShapes in) { return recurrent_shapes(p, in, 3, 2); }

}  // namespace coco::format
