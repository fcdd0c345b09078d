// Purpose: structures that begin with struct_size, of this library's version or another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "capi/call.h"
#include "coco/status.h"

namespace coco::capi {

/// No structure will ever be larger: an uninitialised struct_size is.
inline constexpr size_t kMaxStructBytes = 4096;

/// What struct_size was when the structure came to be: callers of that header know no more fields.
template <typename T>
inline constexpr size_t kFirstSize = sizeof(T);
template <>
inline constexpr size_t kFirstSize<coco_session_options> = offsetof(coco_session_options, device);

/// struct_size of what the caller gave.
template <typename T>
Result<size_t> struct_size(const T* given, const char* type) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  COCO_TRY(require(given, type));
  const size_t size = given->struct_size;
  if (size == kFirstSize<T> || (size >= sizeof(T) && size <= kMaxStructBytes)) return size;
  return make_error(ErrorCode::kInvalidArgument, std::string(type) + " has struct_size " + std::to_string(size) +
                                                     "; set it to sizeof(" + type + "), " + std::to_string(sizeof(T)));
}

/// A copy of what the caller filled in, 0 where his header knows no field. Fields this library does not know must be 0.
template <typename T>
Result<T> read_struct(const T* given, const char* type) {
  COCO_ASSIGN(const size_t size, struct_size(given, type));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (std::any_of(bytes + std::min(sizeof(T), size), bytes + size, [](unsigned char byte) { return byte != 0; })) {
    return make_error(ErrorCode::kUnsupported,
                      std::string(type) + " sets fields that this version of cocopipe does not know");
  }
  T result{};
  std::memcpy(&result, given, std::min(sizeof(T), size));
  return result;
}

/// Gives the caller the fields it knows; its struct_size stays.
template <typename T>
Status write_struct(T* target, T values, const char* type) {
  COCO_ASSIGN(values.struct_size, struct_size(target, type));
  std::memcpy(target, &values, std::min(sizeof(T), values.struct_size));
  return {};
}

}  // namespace coco::capi
