// Purpose: sums of a convolution's products in the order of conv2d_ref on vectors, for what must come out the same on
// every machine: the compiler's choices. Each product and each sum is rounded by itself.
#pragma once

#include <span>

namespace coco::kernels {

/// Adds weight * x[j] to the outputs begin <= j < end; elsewhere x[j] is not read.
struct OrderedTap {
  const float* x = nullptr;
  float weight = 0;
  int begin = 0, end = 0;
};

/// out[j] = start + the products of the taps that reach j, in their order, 0 <= j < columns. `out` overlaps no x.
void ordered_sums_ref(std::span<const OrderedTap> taps, float start, float* out, int columns);
void ordered_sums_hwy(std::span<const OrderedTap> taps, float start, float* out, int columns);

}  // namespace coco::kernels
