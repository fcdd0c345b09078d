#include "vision/chroma.h"

#include <algorithm>
#include <cstddef>

#include "coco/status.h"
#include "kernels/resample/planes.h"

namespace coco::vision {
namespace {

/// Enough for two components of the widest chroma row (8192 columns), on the stack of whoever runs the task.
constexpr size_t kScratchBytes = 68 * 1024;
/// Output samples of one task: some tens of microseconds of work.
constexpr int kSamplesPerTask = 64 * 1024;

int half(int luma) { return (luma + 1) / 2; }

kernels::FilterTable chroma_axis(int luma_in, int luma_out, bool co_sited) {
  kernels::FilterSpec spec;
  spec.in = half(luma_in);
  spec.out = half(luma_out);
  spec.ratio_in = luma_in;
  spec.ratio_out = luma_out;
  spec.in_siting = spec.out_siting = co_sited ? -1 : 0;
  return kernels::make_filter(spec);
}

}  // namespace

ChromaScaler::ChromaScaler(PixelFormat format, ChromaSite site, int in_width, int in_height, int out_width,
                           int out_height)
    : type_(sample_type(format)), planes_(plane_count(format) - 1) {
  if (planes_ == 0) return;
  horizontal_ = chroma_axis(in_width, out_width, site != ChromaSite::kCenter);
  vertical_ = chroma_axis(in_height, out_height, site == ChromaSite::kTopLeft);
  components_ = planes_ == 1 ? 2 : 1;
  COCO_CHECK(kernels::resample_scratch_bytes(horizontal_, components_) <= kScratchBytes, "chroma rows too wide");
  rows_per_task_ = std::max(1, kSamplesPerTask / (horizontal_.out * components_));
  tasks_per_plane_ = (vertical_.out + rows_per_task_ - 1) / rows_per_task_;
}

void ChromaScaler::run(int task, const FrameView& in, const MutableFrameView& out) const noexcept {
  const size_t plane = 1 + static_cast<size_t>(task / tasks_per_plane_);
  const int y0 = task % tasks_per_plane_ * rows_per_task_;
  kernels::PlaneJob job;
  job.horizontal = &horizontal_;
  job.vertical = &vertical_;
  job.type = type_;
  job.components = components_;
  job.in = in.data[plane];
  job.in_stride = in.stride[plane];
  job.out = out.data[plane];
  job.out_stride = out.stride[plane];
  alignas(kernels::kResampleScratchAlignment) std::byte scratch[kScratchBytes];
  kernels::resample_plane(job, y0, std::min(y0 + rows_per_task_, vertical_.out), scratch);
}

}  // namespace coco::vision
