// Shape rules of operators that move, cut, pad or resample along axes.
#include <algorithm>
#include <cmath>

#include "format/shape_rules.h"

namespace coco::format {
namespace {

Error length_error(const char* what, size_t have, size_t need) {
  return shape_error(std::string(what) + " has " + std::to_string(have) + " entries, needs " + std::to_string(need));
}

// Product of non-negative dimensions, held at a bound no tensor reaches, so that it cannot overflow.
int64_t bounded_product(int64_t a, int64_t b) {
  constexpr int64_t kBound = int64_t{1} << 62;
  if (a == 0 || b == 0) return 0;
  return a > kBound / b ? kBound : a * b;
}

Result<int64_t> padded_extent(const PadParams& p, int64_t dim, int64_t begin, int64_t end) {
  if (is_dynamic(dim)) return kDynamicDim;
  const int64_t kept = dim + std::min<int64_t>(begin, 0) + std::min<int64_t>(end, 0);
  if (kept < 0) return shape_error("negative pads crop more than there is");
  const int64_t added = std::max(begin, end);
  if (p.mode == PadMode::kReflect && added > 0 && added > kept - 1) {
    return shape_error("reflection by " + std::to_string(added) + " needs more than " + std::to_string(kept) +
                       " samples");
  }
  if (p.mode == PadMode::kEdge && added > 0 && kept < 1) return shape_error("no edge sample to repeat");
  return dim + begin + end;
}

// ONNX multiplies and floors in float.
Result<int64_t> scaled_extent(int64_t dim, float scale) {
  if (!(scale > 0) || !std::isfinite(scale)) return shape_error("scales must be greater than 0 and finite");
  if (is_dynamic(dim)) return kDynamicDim;
  const float out = std::floor(static_cast<float>(dim) * scale);
  if (out > static_cast<float>(Limits::kMaxDim)) return shape_error("scales make a dimension too large");
  if (out < 1 && dim > 0) return shape_error("scales leave no samples");
  return static_cast<int64_t>(out);
}

}  // namespace

SliceRange slice_range(int64_t start, int64_t end, int64_t step, int64_t dim) {
  // Beyond these bounds nothing changes, and the sums below cannot overflow.
  static constexpr int64_t kFar = int64_t{1} << 40;
  step = std::clamp(step, -kFar, kFar);
  const auto from_end = [dim](int64_t v) { return std::clamp(v, -kFar, kFar) + (v < 0 ? dim : 0); };
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? dim : dim - 1;
  start = std::clamp(from_end(start), std::min<int64_t>(0, high), high);
  end = std::clamp(from_end(end), low, high);
  const int64_t distance = step > 0 ? end - start : start - end;
  const int64_t stride = step > 0 ? step : -step;
  const int64_t count = distance > 0 ? (distance + stride - 1) / stride : 0;
  return {count > 0 ? start : 0, step, count};
}

Result<Shape> shape_rule(const ConcatParams& p, InputShapes in) {
  Shape out = *in[0];
  COCO_TRY(check_range("axis", p.axis, 0, static_cast<int64_t>(out.rank()) - 1));
  const auto axis = static_cast<size_t>(p.axis);
  for (size_t n = 1; n < in.size(); ++n) {
    const Shape& x = *in[n];
    bool fits = x.rank() == out.rank();
    for (size_t i = 0; fits && i < x.rank(); ++i) {
      if (i == axis) {
        out[i] = is_dynamic(out[i]) || is_dynamic(x[i]) ? kDynamicDim : out[i] + x[i];
      } else {
        fits = may_equal(out[i], x[i]);
        if (is_dynamic(out[i])) out[i] = x[i];
      }
    }
    if (!fits) {
      return shape_error("input " + std::to_string(n) + " " + x.to_string() + " does not fit the first, " +
                         in[0]->to_string() + ", along axis " + std::to_string(p.axis));
    }
  }
  return out;
}

Result<Shape> shape_rule(const SliceParams& p, InputShapes in) {
  Shape out = *in[0];
  const size_t count = p.axes.size();
  if (p.starts.size() != count) return length_error("starts", p.starts.size(), count);
  if (p.ends.size() != count) return length_error("ends", p.ends.size(), count);
  if (p.steps.size() != count) return length_error("steps", p.steps.size(), count);
  std::array<bool, Limits::kMaxRank> seen{};
  for (size_t i = 0; i < count; ++i) {
    COCO_TRY(check_range("axes", p.axes[i], 0, static_cast<int64_t>(out.rank()) - 1));
    const auto axis = static_cast<size_t>(p.axes[i]);
    if (seen[axis]) return shape_error("axis " + std::to_string(axis) + " is given twice");
    seen[axis] = true;
    if (p.steps[i] == 0) return shape_error("steps must not be 0");
    if (!is_dynamic(out[axis])) out[axis] = slice_range(p.starts[i], p.ends[i], p.steps[i], out[axis]).count;
  }
  return out;
}

Result<Shape> shape_rule(const PadParams& p, InputShapes in) {
  Shape out = *in[0];
  const size_t rank = out.rank();
  if (p.pads.size() != 2 * rank) return length_error("pads", p.pads.size(), 2 * rank);
  for (int64_t pad : p.pads) COCO_TRY(check_range("pads", pad, -Limits::kMaxDim, Limits::kMaxDim));
  for (size_t i = 0; i < rank; ++i) {
    COCO_ASSIGN(out[i], padded_extent(p, out[i], p.pads[i], p.pads[i + rank]));
  }
  return out;
}

Result<Shape> shape_rule(const ResizeParams& p, InputShapes in) {
  Shape out = *in[0];
  const size_t rank = out.rank();
  if (p.scales.empty() == p.sizes.empty() && rank > 0) return shape_error("either scales or sizes must be given");
  if (!p.scales.empty() && p.scales.size() != rank) return length_error("scales", p.scales.size(), rank);
  if (!p.sizes.empty() && p.sizes.size() != rank) return length_error("sizes", p.sizes.size(), rank);
  for (size_t i = 0; i < rank; ++i) {
    if (!p.scales.empty()) {
      COCO_ASSIGN(out[i], scaled_extent(out[i], p.scales[i]));
    } else {
      COCO_TRY(check_range("sizes", p.sizes[i], 1, Limits::kMaxDim));
      if (out[i] == 0) return shape_error("the input has no samples");
      out[i] = p.sizes[i];
    }
  }
  return out;
}

Result<Shape> shape_rule(const TransposeParams& p, InputShapes in) {
  const Shape& x = *in[0];
  if (p.perm.size() != x.rank()) return length_error("perm", p.perm.size(), x.rank());
  Shape out = x;
  std::array<bool, Limits::kMaxRank> seen{};
  for (size_t i = 0; i < x.rank(); ++i) {
    COCO_TRY(check_range("perm", p.perm[i], 0, static_cast<int64_t>(x.rank()) - 1));
    const auto from = static_cast<size_t>(p.perm[i]);
    if (seen[from]) return shape_error("perm names axis " + std::to_string(from) + " twice");
    seen[from] = true;
    out[i] = x[from];
  }
  return out;
}

namespace {

// What a Reshape list says about the result before sizes are compared.
struct ReshapePlan {
  std::vector<int64_t> dims;
  std::optional<size_t> inferred;               // the axis of the -1
  std::array<bool, Limits::kMaxRank> copied{};  // input axes taken over by 0
};

Result<ReshapePlan> plan_reshape(const ReshapeParams& p, const Shape& x) {
  if (p.shape.size() > Limits::kMaxRank) return shape_error("shape has too many dimensions");
  ReshapePlan plan;
  plan.dims = p.shape;
  for (size_t i = 0; i < p.shape.size(); ++i) {
    COCO_TRY(check_range("shape", p.shape[i], -1, Limits::kMaxDim));
    if (p.shape[i] == -1) {
      if (plan.inferred) return shape_error("shape has more than one -1");
      plan.inferred = i;
      if (p.allow_zero && std::find(p.shape.begin(), p.shape.end(), 0) != p.shape.end()) {
        return shape_error("shape has a 0 and a -1 with allow_zero");
      }
    } else if (p.shape[i] == 0 && !p.allow_zero) {
      if (i >= x.rank()) return shape_error("shape copies axis " + std::to_string(i) + " which the input has not");
      plan.dims[i] = x[i];
      plan.copied[i] = true;
    }
  }
  return plan;
}

}  // namespace

Result<Shape> shape_rule(const ReshapeParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_ASSIGN(ReshapePlan plan, plan_reshape(p, x));
  // Copied axes stand on both sides and cancel, so unknown ones do not hinder (unless there is a 0 among them).
  int64_t have = 1, want = 1;
  bool known = true;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (plan.copied[i] && x[i] != 0) continue;
    known = known && !is_dynamic(x[i]);
    if (known) have = bounded_product(have, x[i]);
  }
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const bool cancelled = i < plan.copied.size() && plan.copied[i] && plan.dims[i] != 0;
    if (!cancelled && plan.inferred != i) want = bounded_product(want, plan.dims[i]);
  }
  if (!known) return Shape(std::move(plan.dims));
  const auto misfit = [&] {
    return shape_error(x.to_string() + " cannot be given shape " + Shape(p.shape).to_string());
  };
  if (plan.inferred) {
    if (want == 0 || have % want != 0) return misfit();
    plan.dims[*plan.inferred] = have / want;
  } else if (have != want) {
    return misfit();
  }
  return Shape(std::move(plan.dims));
}

}  // namespace coco::format
