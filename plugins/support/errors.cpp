#include "plugins/support/errors.h"

namespace coco::plugins {
namespace {

struct GstCode {
  GQuark domain;
  gint code;
};

GstCode to_gst(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::kInvalidData:
    case ErrorCode::kIo:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
    case ErrorCode::kResourceLimit:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
    case ErrorCode::kUnavailable:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY};
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      break;
  }
  return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
}

}  // namespace

void post_error(GstElement* element, const Error& error) {
  const GstCode code = to_gst(error.code);
  gst_element_message_full(element, GST_MESSAGE_ERROR, code.domain, code.code, g_strdup(error.message.c_str()), nullptr,
                           error.file, GST_FUNCTION, error.line);
}

}  // namespace coco::plugins
