// Shape rules of pointwise operators.
#include <algorithm>
#include <cmath>

#include "format/shape_rules.h"
#include "format/verify_quant.h"

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
  if (!broadcasts_to(slope, x))
    return shape_error("slope " + slope.to_string() + " does not broadcast to " + x.to_string());
  return x;
}

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
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

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (size_t i = 0; i < from.rank(); ++i) {
    const int64_t d = from[from.rank() - 1 - i];
    if (d != 1 && !may_equal(d, to[to.rank() - 1 - i])) return false;
  }
  return true;
}

Result<Shape> shape_rule(const BinaryParams&, InputShapes in) { return broadcast_shapes(*in[0], *in[1]); }

Result<Shape> shape_rule(const WhereParams&, InputShapes in) {
  COCO_ASSIGN(const Shape values, broadcast_shapes(*in[1], *in[2]));
  return broadcast_shapes(*in[0], values);
}

Result<Shape> shape_rule(const LookupParams& p, InputShapes in) {
  COCO_TRY(check_range("zero_point", p.zero_point, 0, 255));
  const Shape& table = *in[1];
  if (table.rank() != 1 || !may_equal(table[0], 256))
    return shape_error("table " + table.to_string() + " is not [256]");
  return *in[0];
}

Result<Shape> shape_rule(const QuantBinaryParams& p, InputShapes in) {
  if (p.kind != BinaryKind::kAdd && p.kind != BinaryKind::kMul) {
    return shape_error("'" + std::string(to_string(p.kind)) + "' is neither add nor mul");
  }
  for (const int64_t zero : {p.a_zero_point, p.b_zero_point, p.out_zero_point}) {
    COCO_TRY(check_range("zero point", zero, 0, 255));
  }
  for (const int64_t factor : {p.a_factor, p.b_factor}) COCO_TRY(check_range("factor", factor, -32767, 32767));
  if (!(std::abs(p.scale) <= kQuantScaleLimit)) return shape_error("scale is not a number up to 64");
  COCO_TRY(check_range("high", p.high, 0, 255));
  COCO_TRY(check_range("low", p.low, 0, p.high));
  return broadcast_shapes(*in[0], *in[1]);
}

Result<Shape> shape_rule(const CastParams&, InputShapes in) { return *in[0]; }

}  // namespace coco::format
