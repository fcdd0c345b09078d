// Purpose: the labelling stage of a job: frames in, the same frames out with label and mark.
// Ownership: takes frames; writes into them, or into copies where others hold them.
// Threads: one thread at a time.
// Failure: a source whose size changes is refused: its label would not fit.
#pragma once

#include <memory>

#include "apps/filejob/frame_stage.h"
#include "apps/filejob/picture.h"

namespace coco::filejob {

class DiscloseStage : public FrameStage {
 public:
  DiscloseStage(const DiscloseJob& job, const AVCodec* encoder, AVRational time_base, Note note)
      : job_(job), encoder_(encoder), time_base_(time_base), note_(std::move(note)) {}

  Result<FramePtr> process(FramePtr frame) override;
  void report(Report& report) const override;

 private:
  Status begin(const AVFrame& frame);

  const DiscloseJob& job_;
  const AVCodec* encoder_;
  AVRational time_base_;
  Note note_;
  std::unique_ptr<Converter> converter_;
  std::unique_ptr<vision::Discloser> discloser_;
  PixelFormat format_ = PixelFormat::kI420;
  int width_ = 0, height_ = 0;
};

}  // namespace coco::filejob
