// Purpose: errors as values. Result<T> holds a T or an Error; Status is a Result without a value.
// Ownership: an Error owns its message; a Result owns its value.
// Threads: values, no shared state.
// Failure: taking the value of a failed Result is a programmer error and aborts with the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "coco/export.h"

namespace coco {

enum class ErrorCode : uint8_t {
  kInvalidArgument,  ///< The caller's values do not fit (sizes, options, names).
  kInvalidData,      ///< A file or stream is damaged, truncated or hostile.
  kNotFound,         ///< A file, model, node or device does not exist.
  kUnsupported,      ///< Well-formed, but outside what this build can do.
  kUnavailable,      ///< A device, memory import or optional part cannot be used here; another path may work.
  kResourceLimit,    ///< Memory, disk or a declared bound would be exceeded.
  kIo,               ///< The operating system refused or broke a read or write.
  kCancelled,        ///< The caller asked to stop.
  kInternal,         ///< A defect of cocopipe.
};

/// The code's name as it appears in messages, for example "invalid data".
COCO_API std::string_view to_string(ErrorCode code);

/// What went wrong, where, and what to do. `file` and `line` name the place in cocopipe's source, for logs only.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  const char* file = "";
  int line = 0;
};

/// Makes an Error that remembers the calling source line.
inline Error make_error(ErrorCode code, std::string message, const char* file = __builtin_FILE(),
                        int line = __builtin_LINE()) {
  return Error{code, std::move(message), file, line};
}

/// Prints the message to standard error and aborts; for programmer errors only.
[[noreturn]] COCO_API void abort_with(std::string_view message, const char* file, int line);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& value() & {
    require();
    return *value_;
  }
  const T& value() const& {
    require();
    return *value_;
  }
  T&& value() && {
    require();
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return error_; }
  Error take_error() { return std::move(error_); }

 private:
  void require() const {
    if (!value_) abort_with("value of a failed Result: " + error_.message, error_.file, error_.line);
  }

  std::optional<T> value_;
  Error error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }
  Error take_error() { return std::move(error_); }

 private:
  bool failed_ = false;
  Error error_;
};

using Status = Result<void>;

}  // namespace coco

#define COCO_CONCAT_INNER(a, b) a##b
#define COCO_CONCAT(a, b) COCO_CONCAT_INNER(a, b)

/// Returns the error of `expression` (a Result or Status) from the enclosing function, if it failed.
#define COCO_TRY(expression)                                        \
  do {                                                              \
    auto coco_try_result = (expression);                            \
    if (!coco_try_result.ok()) return coco_try_result.take_error(); \
  } while (false)

/// COCO_ASSIGN(auto x, f()): declares or assigns x from a Result, or returns its error.
#define COCO_ASSIGN(target, expression) COCO_ASSIGN_INNER(COCO_CONCAT(coco_assign_, __LINE__), target, expression)
#define COCO_ASSIGN_INNER(name, target, expression) \
  auto name = (expression);                         \
  if (!name.ok()) return name.take_error();         \
  target = std::move(name).value()

/// Aborts with a message when a programmer's promise is broken. Never for input.
#define COCO_CHECK(condition, message)                                                                  \
  do {                                                                                                  \
    if (!(condition)) ::coco::abort_with("check failed: " #condition ": " message, __FILE__, __LINE__); \
  } while (false)
