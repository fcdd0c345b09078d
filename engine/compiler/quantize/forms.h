// Purpose: which operators the quantiser can make integer, in some of their forms (carriers.h knows which).
#pragma once

#include <algorithm>
#include <array>

#include "format/params.h"

namespace coco::compiler {

constexpr bool has_integer_form(format::OpKind kind) {
  using format::OpKind;
  constexpr std::array kKinds = {OpKind::kConv2d, OpKind::kQuantConv2d, OpKind::kMatMul,       OpKind::kQuantize,
                                 OpKind::kPool2d, OpKind::kResize,      OpKind::kPad,          OpKind::kConcat,
                                 OpKind::kSlice,  OpKind::kReshape,     OpKind::kTranspose,    OpKind::kDepthToSpace,
                                 OpKind::kUnary,  OpKind::kBinary,      OpKind::kSpaceToDepth, OpKind::kDequantize};
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

}  // namespace coco::compiler
