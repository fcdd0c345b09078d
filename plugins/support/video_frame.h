// Purpose: GStreamer's video frames as cocopipe's frame views, without a copy.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "coco/buffer.h"
#include "coco/status.h"

namespace coco::plugins {

/// The caps string of every format the tasks read and write.
#define COCO_VIDEO_FORMATS "{ I420, NV12, GRAY8, I420_10LE, P010_10LE }"
/// Width and height the tasks take.
#define COCO_MAX_SIZE 16384

std::optional<PixelFormat> pixel_format_of(GstVideoFormat format);
/// The nearest siting the tasks know; unknown means left, as video without a mark is.
ChromaSite chroma_site_of(GstVideoChromaSite site);

/// A buffer mapped as a picture until the object goes. The views show the picture `info` describes, in place, with the
/// strides of the buffer's video meta when it has one.
class MappedFrame {
 public:
  /// kInvalidData when the buffer is too small for the picture, or its meta describes another one.
  static Result<MappedFrame> map(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags);
  MappedFrame(MappedFrame&& other) noexcept;
  MappedFrame& operator=(MappedFrame&&) = delete;
  ~MappedFrame();

  FrameView view() const { return mutable_view(); }
  /// Only of a buffer mapped for writing.
  MutableFrameView mutable_view() const;

 private:
  MappedFrame() = default;
  Status check_extent() const;

  GstVideoFrame frame_{};
  GstVideoInfo info_{};
  bool mapped_ = false;
};

}  // namespace coco::plugins
