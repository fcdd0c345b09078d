// Purpose: the upscaling stage of a job: any decoded frame in, a frame of constant size and format out.
// Ownership: takes frames, returns new ones from recycled memory.
// Threads: one thread at a time.
// Failure: geometry and model problems are reported with the sizes involved.
#pragma once

#include <memory>
#include <string>

#include "apps/filejob/frame_stage.h"
#include "apps/filejob/picture.h"
#include "coco/vision.h"

namespace coco::filejob {

class UpscaleStage : public FrameStage {
 public:
  /// `encoder` may be null: nothing will be encoded.
  UpscaleStage(const UpscaleJob& job, const AVCodec* encoder, Note note)
      : job_(job), encoder_(encoder), note_(std::move(note)) {}

  Result<FramePtr> process(FramePtr frame) override;
  void report(Report& report) const override;

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
