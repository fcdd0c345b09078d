// Purpose: decoded frames as the tasks' frames: format choice, conversion of what is not taken directly, recycled
// outputs. Ownership: frames own their memory; views borrow from the frame they were made of. Threads: one thread at a
// time per object; frames from a FramePool may be released on any thread. Failure: allocation and conversion failures
// are errors; nothing throws.
#pragma once

#include <optional>
#include <string>

#include "apps/filejob/av.h"
#include "coco/buffer.h"

namespace coco::filejob {

/// The task format with this exact memory layout.
std::optional<PixelFormat> direct_format(AVPixelFormat format);
/// The FFmpeg format of a task format (never the deprecated yuvj ones).
AVPixelFormat av_format(PixelFormat format);
/// What a source format is worked in: itself, or the nearest 4:2:0 of the same depth (8 or 10 bits).
PixelFormat nearest_format(AVPixelFormat format);

FrameView view_of(const AVFrame& frame, PixelFormat format);
MutableFrameView mutable_view_of(AVFrame& frame, PixelFormat format);
ChromaSite chroma_site_of(const AVFrame& frame);

/// Frames of one size and format from recycled memory.
class FramePool {
 public:
  Result<FramePtr> get(AVPixelFormat format, int width, int height);

 private:
  BufferPoolPtr pool_;
  size_t bytes_ = 0;
};

/// Brings frames into a working format at their own size. YUV keeps matrix and range; RGB becomes BT.709 (BT.601 below
/// 720 lines) in studio range.
class Converter {
 public:
  explicit Converter(PixelFormat target) : target_(target) {}
  /// Returns `frame` itself when it already fits. Properties (timestamps, colour, side data) are kept.
  Result<FramePtr> convert(FramePtr frame);
  /// "yuv422p to yuv420p" of the last conversion made, empty when none was needed.
  const std::string& description() const { return description_; }

 private:
  Status prepare(const AVFrame& frame);

  PixelFormat target_;
  FramePool pool_;
  SwsPtr sws_;
  int width_ = 0, height_ = 0, source_format_ = AV_PIX_FMT_NONE;
  AVColorRange range_ = AVCOL_RANGE_UNSPECIFIED;
  AVColorSpace matrix_ = AVCOL_SPC_UNSPECIFIED;
  std::string description_;
};

/// The frame as interleaved 8-bit RGB, row-major without padding, by its own matrix and range.
Result<std::vector<uint8_t>> to_rgb24(const AVFrame& frame);

}  // namespace coco::filejob
