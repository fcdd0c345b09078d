#include <algorithm>

#include "kernels/conv/ordered_sums.h"

namespace coco::kernels {

void ordered_sums_ref(std::span<const OrderedTap> taps, float start, float* out, int columns) {
  std::fill_n(out, columns, start);
  for (const OrderedTap& tap : taps) {
    for (int j = tap.begin; j < tap.end; ++j) out[j] += tap.weight * tap.x[j];
  }
}

}  // namespace coco::kernels
