#include "kernels/conv/ordered_sums.h"

#include <algorithm>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/ordered_sums_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// kVectors vectors of outputs from j on, which all taps reach: they stay in registers while the taps pass by.
template <int kVectors, class D>
HWY_INLINE void Block(D d, std::span<const OrderedTap> taps, float start, int j, float* out) {
  const size_t lanes = hn::Lanes(d);
  hn::Vec<D> sum[kVectors];
  for (auto& s : sum) s = hn::Set(d, start);
  for (const OrderedTap& tap : taps) {
    const auto weight = hn::Set(d, tap.weight);
    for (size_t v = 0; v < kVectors; ++v)
      sum[v] = hn::Add(sum[v], hn::Mul(weight, hn::LoadU(d, tap.x + j + v * lanes)));
  }
  for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + j + v * lanes);
}

void OrderedSums(std::span<const OrderedTap> taps, float start, float* out, int columns) {
  int first = 0, last = columns;  // outputs that all taps reach
  for (const OrderedTap& tap : taps) {
    first = std::max(first, tap.begin);
    last = std::min(last, tap.end);
  }
  if (first >= last) return ordered_sums_ref(taps, start, out, columns);
  const auto scalar = [&](int from, int to) {
    for (int j = from; j < to; ++j) {
      float sum = start;
      for (const OrderedTap& tap : taps) {
        if (j >= tap.begin && j < tap.end) sum += tap.weight * tap.x[j];
      }
      out[j] = sum;
    }
  };
  scalar(0, first);
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 4> d4;
  const int lanes = static_cast<int>(hn::Lanes(d)), few = static_cast<int>(hn::Lanes(d4));
  int j = first;
  for (; j + 4 * lanes <= last; j += 4 * lanes) Block<4>(d, taps, start, j, out);
  for (; j + lanes <= last; j += lanes) Block<1>(d, taps, start, j, out);
  for (; j + few <= last; j += few) Block<1>(d4, taps, start, j, out);
  scalar(j, columns);
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(OrderedSums);
void ordered_sums_hwy(std::span<const OrderedTap> taps, float start, float* out, int columns) {
  HWY_DYNAMIC_DISPATCH(OrderedSums)(taps, start, out, columns);
}
}  // namespace coco::kernels
#endif
