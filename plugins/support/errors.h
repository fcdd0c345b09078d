// Purpose: cocopipe's errors as GStreamer messages, and a wall that no exception passes.
#pragma once

#include <gst/gst.h>

#include <exception>
#include <utility>

#include "coco/status.h"

namespace coco::plugins {

/// Posts `error` on the element's bus: the domain and code follow the error's code, the text is its message.
void post_error(GstElement* element, const Error& error);

/// Runs a vfunc's body. An exception that reaches it is posted as an error and `on_failure` returned: one that left a
/// vfunc would end the process, or leave the pad's stream lock held.
template <typename Outcome, typename Body>
Outcome guarded(gpointer element, Outcome on_failure, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& exception) {
    post_error(GST_ELEMENT(element), make_error(ErrorCode::kInternal, exception.what()));
  } catch (...) {
    post_error(GST_ELEMENT(element), make_error(ErrorCode::kInternal, "an unknown exception"));
  }
  return on_failure;
}

}  // namespace coco::plugins
