#include "kernels/resample/rows.h"

#include <algorithm>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resample/rows_hwy.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Products are rounded before they are added, on every target: interpolated rows are the reference's bytes, and so is
// all that integer networks add to them.

// Lanes of `d` at column x: the same operations in the same order whatever the number of lanes.
template <class D>
HWY_INLINE void vertical_lanes(D d, const float* weights, int taps, const float* const* rows, int x, float* out) {
  auto sum = hn::Mul(hn::Set(d, weights[0]), hn::LoadU(d, rows[0] + x));
  for (int k = 1; k < taps; ++k) sum = hn::Add(sum, hn::Mul(hn::Set(d, weights[k]), hn::LoadU(d, rows[k] + x)));
  hn::StoreU(sum, d, out + x);
}

void row_v(const FilterTable& table, int y, const float* const* rows, int width, float* out) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int lanes = static_cast<int>(hn::Lanes(d)), taps = table.taps;
  const float* weights = table.weights.data() + static_cast<size_t>(y) * static_cast<size_t>(taps);
  int x = 0;
  for (; x + 2 * lanes <= width; x += 2 * lanes) {
    auto w = hn::Set(d, weights[0]);
    auto sum0 = hn::Mul(w, hn::LoadU(d, rows[0] + x));
    auto sum1 = hn::Mul(w, hn::LoadU(d, rows[0] + x + lanes));
    for (int k = 1; k < taps; ++k) {
      w = hn::Set(d, weights[k]);
      sum0 = hn::Add(sum0, hn::Mul(w, hn::LoadU(d, rows[k] + x)));
      sum1 = hn::Add(sum1, hn::Mul(w, hn::LoadU(d, rows[k] + x + lanes)));
    }
    hn::StoreU(sum0, d, out + x);
    hn::StoreU(sum1, d, out + x + lanes);
  }
  for (; x + lanes <= width; x += lanes) vertical_lanes(d, weights, taps, rows, x, out);
  for (; x < width; ++x) vertical_lanes(one, weights, taps, rows, x, out);
}

HWY_INLINE void horizontal_one(const FilterTable& table, const float* in, int in_x0, int x, float* out) {
  const hn::CappedTag<float, 1> d;
  const float* weights = table.weights.data() + static_cast<size_t>(x) * static_cast<size_t>(table.taps);
  const float* from = in + (table.first[static_cast<size_t>(x)] - in_x0);
  auto sum = hn::Mul(hn::LoadU(d, weights), hn::LoadU(d, from));
  for (int k = 1; k < table.taps; ++k) sum = hn::Add(sum, hn::Mul(hn::LoadU(d, weights + k), hn::LoadU(d, from + k)));
  hn::StoreU(sum, d, out);
}

// The inputs of tap k of neighbouring outputs lie within one vector (enlarging) or two (shrinking to no less than
// half): load those and pick the lanes, with one index vector for all taps.
void horizontal_any(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const int lanes = static_cast<int>(hn::Lanes(d)), taps = table.taps;
  const int* first = table.first.data();
  const float* columns = table.columns.data();
  const size_t pitch = static_cast<size_t>(table.out);
  const int in_end = in_x0 + in_count;
  int x = x0;
  for (; x + lanes <= x1; x += lanes) {
    const int base = first[x], spread = first[x + lanes - 1] - base;
    const auto offsets = hn::Sub(hn::LoadU(di, first + x), hn::Set(di, base));
    const float* from = in + (base - in_x0);
    const float* weights = columns + x;
    if (spread < lanes && base + taps - 1 + lanes <= in_end) {
      const auto index = hn::IndicesFromVec(d, offsets);
      auto sum = hn::Mul(hn::LoadU(d, weights), hn::TableLookupLanes(hn::LoadU(d, from), index));
      for (int k = 1; k < taps; ++k) {
        const auto value = hn::TableLookupLanes(hn::LoadU(d, from + k), index);
        sum = hn::Add(sum, hn::Mul(hn::LoadU(d, weights + static_cast<size_t>(k) * pitch), value));
      }
      hn::StoreU(sum, d, out + (x - x0));
    } else if (spread < 2 * lanes && base + taps - 1 + 2 * lanes <= in_end) {
      const auto in_low = hn::RebindMask(d, hn::Lt(offsets, hn::Set(di, lanes)));
      const auto index = hn::IndicesFromVec(d, hn::And(offsets, hn::Set(di, lanes - 1)));
      auto sum = hn::Zero(d);
      for (int k = 0; k < taps; ++k) {
        const auto low = hn::TableLookupLanes(hn::LoadU(d, from + k), index);
        const auto high = hn::TableLookupLanes(hn::LoadU(d, from + k + lanes), index);
        const auto value = hn::IfThenElse(in_low, low, high);
        const auto weight = hn::LoadU(d, weights + static_cast<size_t>(k) * pitch);
        sum = k == 0 ? hn::Mul(weight, value) : hn::Add(sum, hn::Mul(weight, value));
      }
      hn::StoreU(sum, d, out + (x - x0));
    } else {
      for (int i = x; i < x + lanes; ++i) horizontal_one(table, in, in_x0, i, out + (i - x0));
    }
  }
  for (; x < x1; ++x) horizontal_one(table, in, in_x0, x, out + (x - x0));
}

// Outputs 2i and 2i + 1 of a doubling: two sums over neighbouring inputs, stored in turn. x0 is even, as x2_begin is.
// Returns the first output not made.
int horizontal_doubling(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1,
                        float* out) {
  const hn::ScalableTag<float> d;
  const int lanes = static_cast<int>(hn::Lanes(d)), taps = table.taps;
  const float* weights[2];
  const float* from[2];
  for (int phase = 0; phase < 2; ++phase) {
    weights[phase] = table.weights.data() + static_cast<size_t>(x0 + phase) * static_cast<size_t>(taps);
    from[phase] = in + (table.first[static_cast<size_t>(x0 + phase)] - in_x0);
  }
  const ptrdiff_t readable = in + in_count - std::max(from[0], from[1]) - (taps - 1);
  int x = x0;
  for (ptrdiff_t i = 0; x + 2 * lanes <= x1 && i + lanes <= readable; x += 2 * lanes, i += lanes) {
    auto even = hn::Mul(hn::Set(d, weights[0][0]), hn::LoadU(d, from[0] + i));
    auto odd = hn::Mul(hn::Set(d, weights[1][0]), hn::LoadU(d, from[1] + i));
    for (int k = 1; k < taps; ++k) {
      even = hn::Add(even, hn::Mul(hn::Set(d, weights[0][k]), hn::LoadU(d, from[0] + i + k)));
      odd = hn::Add(odd, hn::Mul(hn::Set(d, weights[1][k]), hn::LoadU(d, from[1] + i + k)));
    }
    hn::StoreInterleaved2(even, odd, d, out + (x - x0));
  }
  return x;
}

void row_h(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1, float* out) {
  int x = x0;
  const int begin = std::max(table.x2_begin, x0 + (x0 & 1)), end = std::min(table.x2_end, x1);
  if (end - begin >= 2) {
    horizontal_any(table, in, in_x0, in_count, x0, begin, out);
    x = horizontal_doubling(table, in, in_x0, in_count, begin, end, out + (begin - x0));
  }
  horizontal_any(table, in, in_x0, in_count, x, x1, out + (x - x0));
}

}  // namespace coco::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(row_v);
HWY_EXPORT(row_h);

void resample_row_v(const FilterTable& table, int y, const float* const* rows, int width, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(row_v)(table, y, rows, width, out);
}

void resample_row_h(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1,
                    float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(row_h)(table, in, in_x0, in_count, x0, x1, out);
}

}  // namespace coco::kernels
#endif
