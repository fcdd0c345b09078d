// Purpose: from sums to results: scaling, and four channels of s32 to words of four bytes. Included once per target,
// after dot4-inl.h.
#if defined(COCO_REQUANTIZE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_REQUANTIZE_INL_H
#undef COCO_REQUANTIZE_INL_H
#else
#define COCO_REQUANTIZE_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/qconv/x86-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace requantize {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<int32_t>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

#if HWY_TARGET != HWY_SCALAR

// float(acc) * (acc < 0 ? negative : scale)
HWY_INLINE VF Scaled(VI acc, VF scale, VF negative) {
  const DF df;
  const VF v = hn::ConvertTo(df, acc);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4
  return hn::Mul(v, hn::IfNegativeThenElse(hn::BitCast(df, acc), negative, scale));
#else
  return hn::Mul(v, hn::IfThenElse(hn::Lt(v, hn::Zero(df)), negative, scale));
#endif
}

// To the nearest, ties to even; |v| < 2^31.
HWY_INLINE VI Rounded(VF v) {
#if defined(COCO_X86)
  return VI{COCO_X86(cvtps_epi32)(v.raw)};
#else
  return hn::NearestInt(v);
#endif
}

// What becomes of rounded values.
struct Bounds {
  int32_t zero_point, low, high;
};

// Words of clamp(v[c] + zero_point, low, high), v[0] in the lowest byte.
HWY_INLINE VI Words(const VI (&v)[4], const Bounds& bounds) {
  const DI di;
#if defined(COCO_X86)
  // Saturation is monotonic, so bounds that lie within the saturated range may come after it.
  const hn::Repartition<int16_t, DI> d16;
  const hn::Repartition<uint8_t, DI> d8;
  const auto zero = hn::Set(d16, static_cast<int16_t>(bounds.zero_point));
  const auto low = hn::SaturatedAdd(hn::Vec<decltype(d16)>{COCO_X86(packs_epi32)(v[0].raw, v[1].raw)}, zero);
  const auto high = hn::SaturatedAdd(hn::Vec<decltype(d16)>{COCO_X86(packs_epi32)(v[2].raw, v[3].raw)}, zero);
  hn::Vec<decltype(d8)> bytes{COCO_X86(packus_epi16)(low.raw, high.raw)};
  if (bounds.low > 0 || bounds.high < 255) {
    bytes = hn::Max(bytes, hn::Set(d8, static_cast<uint8_t>(bounds.low)));
    bytes = hn::Min(bytes, hn::Set(d8, static_cast<uint8_t>(bounds.high)));
  }
  alignas(16) static constexpr uint8_t kInterleave[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  return hn::BitCast(di, hn::TableLookupBytes(bytes, hn::LoadDup128(d8, kInterleave)));
#else
  const VI zero = hn::Set(di, bounds.zero_point), low = hn::Set(di, bounds.low), high = hn::Set(di, bounds.high);
  const auto byte = [&](VI value) HWY_ATTR { return hn::Min(hn::Max(hn::Add(value, zero), low), high); };
  const VI first = hn::Or(byte(v[0]), hn::ShiftLeft<8>(byte(v[1])));
  return hn::Or(first, hn::Or(hn::ShiftLeft<16>(byte(v[2])), hn::ShiftLeft<24>(byte(v[3]))));
#endif
}

#endif

}  // namespace requantize
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
