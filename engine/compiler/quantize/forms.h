// Purpose: which operators the quantiser can make integer.
#pragma once

#include "format/params.h"

namespace coco::compiler {

constexpr bool has_integer_form(format::OpKind kind) {
  return kind == format::OpKind::kConv2d || kind == format::OpKind::kQuantize || kind == format::OpKind::kDequantize;
}

}  // namespace coco::compiler
