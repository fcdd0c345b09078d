#include "kernels/resample/planes.h"
#include "kernels/resample/planes_access.h"

namespace coco::kernels {
namespace {

template <SampleType kType>
void rows(const PlaneJob& job, int y0, int y1, int16_t* line) {
  for (int y = y0; y < y1; ++y) {
    PlaneRows<kType>::vertical(job, y, 0, job.horizontal->in * job.components, line);
    PlaneRows<kType>::horizontal(job, y, 0, job.horizontal->out, line);
  }
}

}  // namespace

void resample_plane_ref(const PlaneJob& job, int y0, int y1, void* scratch) noexcept {
  auto* line = static_cast<int16_t*>(scratch);
  switch (job.type) {
    case SampleType::kU8:
      return rows<SampleType::kU8>(job, y0, y1, line);
    case SampleType::kU16Lsb10:
      return rows<SampleType::kU16Lsb10>(job, y0, y1, line);
    case SampleType::kU16Msb10:
      return rows<SampleType::kU16Msb10>(job, y0, y1, line);
    case SampleType::kF32:
      break;
  }
}

}  // namespace coco::kernels
