// Purpose: writes frames made by a program as a video file.
// Ownership: owns encoder and file; frames are borrowed for the call.
// Threads: one thread at a time.
// Failure: nothing is left under any name unless finish() succeeded.
#pragma once

#include <memory>
#include <string>

#include "apps/filejob/filejob.h"
#include "coco/buffer.h"

namespace coco::filejob {

struct ClipFormat {
  PixelFormat format = PixelFormat::kI420;  ///< BT.709, studio range
  int width = 0, height = 0;
  int frames_per_second = 25;
  EncoderSettings encoder;
};

class ClipWriter {
 public:
  static Result<std::unique_ptr<ClipWriter>> create(const std::string& path, const ClipFormat& format);
  ~ClipWriter();
  Status write(const FrameView& frame);
  Status finish();

 private:
  struct State;
  explicit ClipWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coco::filejob
