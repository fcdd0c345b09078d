// Purpose: how a C function is left: with a code, its text kept for coco_last_error(), and never by an exception.
#pragma once

#include <exception>
#include <new>

#include "coco/coco.h"
#include "coco/status.h"

namespace coco::capi {

/// Keeps the message for this thread and returns the C code.
coco_error fail(ErrorCode code, const char* message) noexcept;

/// Runs `body`, which returns a Status.
template <typename Body>
coco_error call(Body&& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? static_cast<coco_error>(COCO_OK) : fail(status.error().code, status.error().message.c_str());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kResourceLimit, "out of memory");
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, e.what());
  } catch (...) {
    return fail(ErrorCode::kInternal, "an exception of unknown type");
  }
}

/// Runs `body`, which returns a Result<Handle*>, and stores the handle; NULL on failure.
template <typename Handle, typename Body>
coco_error make(Handle** handle, Body&& body) noexcept {
  if (handle == nullptr) return fail(ErrorCode::kInvalidArgument, "no address to store the new handle at (NULL)");
  *handle = nullptr;
  return call([&]() -> Status {
    COCO_ASSIGN(*handle, body());
    return {};
  });
}

/// kInvalidArgument when `pointer` is NULL.
inline Status require(const void* pointer, const char* what) {
  if (pointer != nullptr) return {};
  return make_error(ErrorCode::kInvalidArgument, std::string(what) + " is NULL");
}

}  // namespace coco::capi
