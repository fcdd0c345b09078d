// Purpose: C values of the engine's enumerators and back, made from enums.def. A missing row is a compile error
// (-Werror=switch).
#pragma once

#include <cstdint>
#include <string>

#include "coco/buffer.h"
#include "coco/coco.h"
#include "coco/compile.h"
#include "coco/log.h"
#include "coco/session.h"
#include "coco/status.h"
#include "coco/tensor.h"
#include "coco/vision.h"

namespace coco::capi {

using vision::Tuning;

#define COCO_ENUM_BEGIN(Type, c_type, text) \
  constexpr c_type to_c(Type value) {       \
    switch (value) {
#define COCO_ENUM_ITEM(Type, name, c_name, c_value, text)                         \
  case Type::name:                                                                \
    static_assert(c_name == c_value, "coco.h was not made from these enums.def"); \
    return c_name;
#define COCO_ENUM_END(Type) \
  }                         \
  return -1;                \
  }
#include "capi/enums.def"
#undef COCO_ENUM_BEGIN
#undef COCO_ENUM_ITEM
#undef COCO_ENUM_END

// find(value, result): whether an enumerator has this value.
#define COCO_ENUM_BEGIN(Type, c_type, text)              \
  constexpr const char* c_name(Type) { return #c_type; } \
  constexpr bool find(int32_t value, Type& result) {     \
    switch (value) {
#define COCO_ENUM_ITEM(Type, name, c_name, c_value, text) \
  case c_name:                                            \
    result = Type::name;                                  \
    return true;
#define COCO_ENUM_END(Type) \
  default:                  \
    return false;           \
    }                       \
    }
#include "capi/enums.def"
#undef COCO_ENUM_BEGIN
#undef COCO_ENUM_ITEM
#undef COCO_ENUM_END

/// kInvalidArgument naming the C type where no enumerator has this value.
template <typename Type>
Status from_c(int32_t value, Type& result) {
  if (find(value, result)) return {};
  return make_error(ErrorCode::kInvalidArgument, std::to_string(value) + " is no " + c_name(result));
}

}  // namespace coco::capi
