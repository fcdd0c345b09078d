// Purpose: the upscaling stage of a job: any decoded frame in, a frame of constant size and format out.
// Ownership: takes frames, returns new ones from recycled memory.
// Threads: one thread at a time.
// Failure: geometry and model problems are reported with the sizes involved.
#pragma once

#include <memory>
#include <string>

#include "apps/filejob/encoder.h"
#include "apps/filejob/filejob.h"
#include "apps/filejob/picture.h"
#include "coco/vision.h"

namespace coco::filejob {

class UpscaleStage {
 public:
  /// `encoder` may be null: nothing will be encoded.
  UpscaleStage(const UpscaleJob& job, const AVCodec* encoder, Note note)
      : job_(job), encoder_(encoder), note_(std::move(note)) {}

  Result<FramePtr> process(FramePtr frame);

  int out_width() const { return out_width_; }
  int out_height() const { return out_height_; }
  int in_width() const { return first_width_; }
  int in_height() const { return first_height_; }
  int resolution_changes() const { return changes_; }
  /// Share of the tiles so far that stood still and were kept.
  double reused() const { return tiles_ > 0 ? static_cast<double>(kept_) / static_cast<double>(tiles_) : 0; }
  /// Null before the first frame.
  const vision::Upscaler* upscaler() const { return upscaler_.get(); }

 private:
  Status begin(const AVFrame& frame);
  Status prepare(const AVFrame& frame);
  void dress(AVFrame& out, const AVFrame& in) const;

  const UpscaleJob& job_;
  const AVCodec* encoder_;
  Note note_;
  std::unique_ptr<Converter> converter_;
  std::unique_ptr<vision::Upscaler> upscaler_;
  FramePool pool_;
  PixelFormat format_ = PixelFormat::kI420;
  int first_width_ = 0, first_height_ = 0, out_width_ = 0, out_height_ = 0;
  int changes_ = 0;
  int64_t tiles_ = 0, kept_ = 0;
  bool noted_conversion_ = false;
};

}  // namespace coco::filejob
