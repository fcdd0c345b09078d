// Purpose: the chroma half of the upscaler: the 4:2:0 planes of a frame, cut in tasks of some rows.
// Ownership: plain data; frames are borrowed for the call.
// Threads: run() may be called for different tasks at once.
// Failure: sizes are validated by the upscaler; nothing here fails.
#pragma once

#include "coco/buffer.h"
#include "kernels/resample/filter.h"

namespace coco::vision {

/// Bicubic (a = -0.5), integer-exact (kernels/resample/planes.h), siting kept from input to output.
class ChromaScaler {
 public:
  /// No planes, no tasks.
  ChromaScaler() = default;
  ChromaScaler(PixelFormat format, ChromaSite site, int in_width, int in_height, int out_width, int out_height);

  int tasks() const { return planes_ * tasks_per_plane_; }
  /// Task `task` of [0, tasks()): some output rows of one plane. Allocates nothing.
  void run(int task, const FrameView& in, const MutableFrameView& out) const noexcept;

 private:
  kernels::FilterTable horizontal_, vertical_;
  SampleType type_ = SampleType::kU8;
  int planes_ = 0;
  int components_ = 1;
  int rows_per_task_ = 1;
  int tasks_per_plane_ = 0;
};

}  // namespace coco::vision
