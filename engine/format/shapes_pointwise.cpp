// Shape rules of pointwise operators.
#include <algorithm>
#include <cmath>

#include "format/shape_rules.h"

namespace coco::format {

Result<Shape> shape_rule(const UnaryParams&, InputShapes in) { return *in[0]; }

Result<Shape> shape_rule(const QuantizeParams& p, InputShapes in) {
  COCO_TRY(check_range("zero_point", p.zero_point, 0, 255));
  if (!std::isfinite(p.multiplier) || p.multiplier <= 0) return shape_error("multiplier is not a positive number");
  return *in[0];
}

Result<Shape> shape_rule(const DequantizeParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_TRY(check_range("axis", p.axis, 0, static_cast<int64_t>(Limits::kMaxRank)));
  for (size_t slot = 1; slot < 3; ++slot) {
    if (!in[slot] || in[slot]->element_count() == 1) continue;
    const auto axis = static_cast<size_t>(p.axis);
    const bool fits = in[slot]->rank() == 1 && axis < x.rank() && may_equal((*in[slot])[0], x[axis]);
    if (!fits) {
      return shape_error((slot == 1 ? "scale " : "zero point ") + in[slot]->to_string() +
                         " has neither one element nor one per index of axis " + std::to_string(p.axis) + " of " +
                         x.to_string());
    }
  }
  return x;
}

Result<Shape> shape_rule(const PreluParams&, InputShapes in) {
  const Shape &x = *in[0], &slope = *in[1];
  bool fits = slope.rank() <= x.rank();
  for (size_t i = 0; fits && i < slope.rank(); ++i) {
    const int64_t d = slope[slope.rank() - 1 - i];
    fits = d == 1 || may_equal(d, x[x.rank() - 1 - i]);
  }
  if (!fits) return shape_error("slope " + slope.to_string() + " does not broadcast to " + x.to_string());
  return x;
}

Result<Shape> shape_rule(const BinaryParams&, InputShapes in) {
  const Shape &a = *in[0], &b = *in[1];
  const size_t rank = std::max(a.rank(), b.rank());
  std::vector<int64_t> dims(rank);
  for (size_t i = 0; i < rank; ++i) {  // from the last axis on
    const int64_t da = i < a.rank() ? a[a.rank() - 1 - i] : 1;
    const int64_t db = i < b.rank() ? b[b.rank() - 1 - i] : 1;
    if (da != 1 && db != 1 && !may_equal(da, db)) {
      return shape_error(a.to_string() + " and " + b.to_string() + " do not broadcast");
    }
    // An unknown dimension beside a known one greater than 1 must turn out equal to it, or 1.
    dims[rank - 1 - i] = da == 1 || (is_dynamic(da) && db != 1) ? db : da;
  }
  return Shape(std::move(dims));
}

}  // namespace coco::format
