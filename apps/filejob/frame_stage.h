// Purpose: what a job does with each picture.
// Ownership: takes frames, returns new ones or the same.
// Threads: one thread at a time.
// Failure: an Error ends the job.
#pragma once

#include <functional>
#include <memory>

#include "apps/filejob/encoder.h"
#include "apps/filejob/filejob.h"

namespace coco::filejob {

class FrameStage {
 public:
  virtual ~FrameStage() = default;
  /// All results have one size and format.
  virtual Result<FramePtr> process(FramePtr frame) = 0;
  /// What the stage knows for the report; after the last frame.
  virtual void report(Report& report) const = 0;
};

/// Makes the stage when the encoder (null: none) and what frames' times count are known.
using MakeStage = std::function<std::unique_ptr<FrameStage>(const AVCodec* encoder, AVRational time_base, Note note)>;

Result<Report> run_file_job(const FileJob& job, const MakeStage& make_stage, const Hooks& hooks);

}  // namespace coco::filejob
