#include "kernels/resample/rows.h"

#include <cstddef>

namespace coco::kernels {

void resample_row_v_ref(const FilterTable& table, int y, const float* const* rows, int width, float* out) noexcept {
  const float* weights = &table.weights[static_cast<size_t>(y) * static_cast<size_t>(table.taps)];
  for (int x = 0; x < width; ++x) {
    float sum = weights[0] * rows[0][x];
    for (int k = 1; k < table.taps; ++k) sum += weights[k] * rows[k][x];
    out[x] = sum;
  }
}

void resample_row_h_ref(const FilterTable& table, const float* in, int in_x0, int /*in_count*/, int x0, int x1,
                        float* out) noexcept {
  for (int x = x0; x < x1; ++x) {
    const float* weights = &table.weights[static_cast<size_t>(x) * static_cast<size_t>(table.taps)];
    const float* from = in + (table.first[static_cast<size_t>(x)] - in_x0);
    float sum = weights[0] * from[0];
    for (int k = 1; k < table.taps; ++k) sum += weights[k] * from[k];
    out[x - x0] = sum;
  }
}

}  // namespace coco::kernels
