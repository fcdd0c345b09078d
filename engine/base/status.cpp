#include "coco/status.h"

#include <cstdio>
#include <cstdlib>

namespace coco {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kInvalidData:
      return "invalid data";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kResourceLimit:
      return "resource limit";
    case ErrorCode::kIo:
      return "input/output error";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal error";
  }
  return "unknown error";
}

void abort_with(std::string_view message, const char* file, int line) {
  std::fprintf(stderr, "cocopipe: %.*s (%s:%d)\n", static_cast<int>(message.size()), message.data(), file, line);
  std::abort();
}

}  // namespace coco
