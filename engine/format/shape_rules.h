// Purpose: one shape rule per operator in ops.def, and the arithmetic that rules and kernels share.
// Rules run on shapes already checked: rank <= kMaxRank, each dimension kDynamicDim or 0..kMaxDim. Each checks its
// parameters' ranges first, so that no product of two values can overflow.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "coco/status.h"
#include "coco/tensor.h"
#include "format/params.h"
#include "format/program.h"

namespace coco::format {

using InputShapes = std::span<const std::optional<Shape>>;

#define COCO_OP(name, params) Result<Shape> shape_rule(const params& p, InputShapes in);
#define COCO_OP_MULTI(name, params) Result<std::vector<Shape>> shape_rule(const params& p, InputShapes in);
#include "format/ops.def"
#undef COCO_OP

/// One axis of a Slice after ONNX's clamping: elements start, start + step, ... (count of them).
struct SliceRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};
/// step is not 0; dim is 0..kMaxDim. Any other value is allowed.
SliceRange slice_range(int64_t start, int64_t end, int64_t step, int64_t dim);

inline bool is_dynamic(int64_t dim) { return dim == kDynamicDim; }
/// Both may stand for the same dimension: equal, or one is not known yet.
inline bool may_equal(int64_t a, int64_t b) { return a == b || is_dynamic(a) || is_dynamic(b); }
/// Same rank, and every dimension may_equal.
bool may_equal(const Shape& a, const Shape& b);

/// a and b broadcast as NumPy does. The error names both.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);
/// `from` broadcasts to `to` alone.
bool broadcasts_to(const Shape& from, const Shape& to);
/// The error of a rule: kInvalidArgument.
inline Error shape_error(std::string message, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kInvalidArgument, std::move(message), file, line);
}
/// Error unless low <= value <= high.
Status check_range(const char* what, int64_t value, int64_t low, int64_t high);
/// Error unless v is absent or [channels].
Status check_per_channel(const char* what, const std::optional<Shape>& v, int64_t channels);

}  // namespace coco::format
