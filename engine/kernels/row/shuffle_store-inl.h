// Purpose: the end of a super-resolution network on vectors: two channels of the pixel shuffle are added to the base,
// become samples and are stored. Included once per target.
#if defined(COCO_SHUFFLE_STORE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_SHUFFLE_STORE_INL_H
#undef COCO_SHUFFLE_STORE_INL_H
#else
#define COCO_SHUFFLE_STORE_INL_H
#endif

#include <hwy/highway.h>

#include "coco/buffer.h"
#include "kernels/x86-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace shuffled {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;
using DI = hn::RebindToSigned<DF>;

// clamp(round(v * peak), 0, peak); NaN becomes 0.
HWY_INLINE hn::Vec<DI> Code(VF v, VF peak) {
  const VF scaled = hn::Mul(v, peak), zero = hn::Zero(DF());
#if HWY_ARCH_X86 || HWY_ARCH_ARM_A64
  // x86's maximum of NaN and another number is its second operand; Arm's is NaN, which is converted to 0.
  const VF positive = hn::Max(scaled, zero);
#else
  const VF positive = hn::IfThenElseZero(hn::Gt(scaled, zero), scaled);
#endif
  const VF bounded = hn::Min(positive, peak);
#if defined(COCO_X86)
  return hn::Vec<DI>{COCO_X86(cvtps_epi32)(bounded.raw)};  // NearestInt minds what does not fit 32 bits as well
#else
  return hn::NearestInt(bounded);
#endif
}

// Samples 2j and 2j + 1 of a vector of pairs, from even[j] + base[2j] and odd[j] + base[2j + 1]. Not for kF32.
HWY_INLINE void StorePairs(SampleType type, VF even, VF odd, const float* base, VF peak, void* samples) {
  const DF d;
  const DI di;
  VF base_even, base_odd;
  hn::LoadInterleaved2(d, base, base_even, base_odd);
  const auto first = Code(hn::Add(even, base_even), peak);
  const auto second = Code(hn::Add(odd, base_odd), peak);
  if (type == SampleType::kU8) {
    const hn::Rebind<uint16_t, DF> d16;
    hn::StoreU(hn::DemoteTo(d16, hn::Or(first, hn::ShiftLeft<8>(second))), d16, static_cast<uint16_t*>(samples));
  } else {
    const auto words = hn::Or(first, hn::ShiftLeft<16>(second));
    hn::StoreU(type == SampleType::kU16Msb10 ? hn::ShiftLeft<6>(words) : words, di, static_cast<int32_t*>(samples));
  }
}

}  // namespace shuffled
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
