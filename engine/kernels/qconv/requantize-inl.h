// Purpose: from sums to results: scaling, and four channels of s32 to words of four bytes. Included once per target,
// after dot4-inl.h.
#if defined(COCO_REQUANTIZE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_REQUANTIZE_INL_H
#undef COCO_REQUANTIZE_INL_H
#else
#define COCO_REQUANTIZE_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/x86-inl.h"

#undef COCO_NARROW

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

// The same but for the sign of 0, without asking for the sign of each sum: where negative <= scale the function is
// convex and its value the larger of the two products; otherwise it is concave, and the value the smaller one.
template <bool kConvex>
HWY_INLINE VF ScaledByEnvelope(VI acc, VF scale, VF negative) {
  const VF v = hn::ConvertTo(DF(), acc);
  const VF a = hn::Mul(v, scale), b = hn::Mul(v, negative);
  return kConvex ? hn::Max(a, b) : hn::Min(a, b);
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

// To half as many bits, saturated, each 128 bits of a followed by those of b.
#if defined(COCO_X86)
#define COCO_NARROW 1
using V16 = hn::Vec<hn::Repartition<int16_t, DI>>;
using V8 = hn::Vec<hn::Repartition<uint8_t, DI>>;
HWY_INLINE V16 Narrow(VI a, VI b) { return V16{COCO_X86(packs_epi32)(a.raw, b.raw)}; }
HWY_INLINE V8 Narrow(V16 a, V16 b) { return V8{COCO_X86(packus_epi16)(a.raw, b.raw)}; }
#elif HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64
#define COCO_NARROW 1
using V16 = hn::Vec<hn::Repartition<int16_t, DI>>;
using V8 = hn::Vec<hn::Repartition<uint8_t, DI>>;
HWY_INLINE V16 Narrow(VI a, VI b) { return V16{vqmovn_high_s32(vqmovn_s32(a.raw), b.raw)}; }
HWY_INLINE V8 Narrow(V16 a, V16 b) { return V8{vqmovun_high_s16(vqmovun_s16(a.raw), b.raw)}; }
#endif

#if defined(COCO_NARROW)
// Bytes of clamp(v[i] + zero_point, low, high): each 128 bits have the same 128 bits of v[0] to v[3] after one another.
HWY_INLINE V8 Bytes(const VI (&v)[4], const Bounds& bounds) {
  // Saturation is monotonic, so bounds that lie within the saturated range may come after it.
  const hn::Repartition<uint8_t, DI> d8;
  const V16 zero = hn::Set(hn::Repartition<int16_t, DI>(), static_cast<int16_t>(bounds.zero_point));
  V8 bytes = Narrow(hn::SaturatedAdd(Narrow(v[0], v[1]), zero), hn::SaturatedAdd(Narrow(v[2], v[3]), zero));
  if (bounds.low > 0 || bounds.high < 255) {
    bytes = hn::Max(bytes, hn::Set(d8, static_cast<uint8_t>(bounds.low)));
    bytes = hn::Min(bytes, hn::Set(d8, static_cast<uint8_t>(bounds.high)));
  }
  return bytes;
}
#endif

// Words of clamp(v[c] + zero_point, low, high), v[0] in the lowest byte.
HWY_INLINE VI Words(const VI (&v)[4], const Bounds& bounds) {
  const DI di;
#if defined(COCO_NARROW)
  const hn::Repartition<uint8_t, DI> d8;
  alignas(16) static constexpr uint8_t kInterleave[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  return hn::BitCast(di, hn::TableLookupBytes(Bytes(v, bounds), hn::LoadDup128(d8, kInterleave)));
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
