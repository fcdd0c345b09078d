// Purpose: recognises Reshape, Transpose, Reshape chains that move pixels between channels and space.
#pragma once

#include <optional>
#include <vector>

#include "coco/tensor.h"
#include "format/params.h"

namespace coco::compiler {

/// DepthToSpace or SpaceToDepth parameters when reshaping `in` to `mid`, permuting by `perm` and reshaping to `out` is
/// exactly that; monostate otherwise. All shapes static.
format::OpParams match_shuffle(const Shape& in, const Shape& mid, const std::vector<int64_t>& perm, const Shape& out);

}  // namespace coco::compiler
