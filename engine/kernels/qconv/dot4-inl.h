// Purpose: the 4-way dot product of u8 by s8 that Highway 1.0 lacks, on vectors of words (VI). Included inside
// HWY_NAMESPACE users' per-target part, once per target. Each target has one of:
//   COCO_DOT4_EXACT  Dot4(acc, x, w): any weights
//   COCO_DOT4_PAIRS  products meet in 16 bits first. Dot4 is for narrow weights: in each half of the word neither the
//                    positive nor the negative weights add up to more than 128. Two vectors whose weights are narrow
//                    taken together may share one Widen(). DotWide takes any weights, in 16 bits.
#if defined(COCO_DOT4_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_DOT4_INL_H
#undef COCO_DOT4_INL_H
#else
#define COCO_DOT4_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/x86-inl.h"

#undef COCO_DOT4_EXACT
#undef COCO_DOT4_PAIRS

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace dot4 {
namespace hn = hwy::HWY_NAMESPACE;

using DI = hn::ScalableTag<int32_t>;
using VI = hn::Vec<DI>;

// Words of four bytes, anywhere.
HWY_INLINE VI Load(const void* words) { return hn::LoadU(DI(), static_cast<const int32_t*>(words)); }

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
#define COCO_DOT4_EXACT 1

// acc[i] + sum of the 4 bytes of x[i], unsigned, times those of w[i], signed. (Highway compiles this target without
// the compiler's flag for the instruction.)
HWY_INLINE VI Dot4(VI acc, VI x, VI w) {
  __asm__("vpdpbusd %[w], %[x], %[acc]" : [acc] "+v"(acc.raw) : [x] "v"(x.raw), [w] "v"(w.raw));
  return acc;
}

#elif defined(COCO_X86)
#define COCO_DOT4_PAIRS 1

// Sums of 2 byte products, in 16 bits; their sum; sums of 2 of them, in 32 bits.
HWY_INLINE VI Products(VI x, VI w) { return VI{COCO_X86(maddubs_epi16)(x.raw, w.raw)}; }
HWY_INLINE VI Add16(VI a, VI b) { return VI{COCO_X86(add_epi16)(a.raw, b.raw)}; }
HWY_INLINE VI Widen(VI products) { return VI{COCO_X86(madd_epi16)(products.raw, hn::Set(DI(), 0x10001).raw)}; }

HWY_INLINE VI Dot4(VI acc, VI x, VI w) { return hn::Add(acc, Widen(Products(x, w))); }

// The bytes 0 and 2, and 1 and 3, of each word in 16 bits.
HWY_INLINE VI EvenBytes(VI x) { return hn::And(x, hn::Set(DI(), 0xff00ff)); }
HWY_INLINE VI OddBytes(VI x) { return VI{COCO_X86(srli_epi16)(x.raw, 8)}; }
HWY_INLINE VI DotWide(VI acc, VI even, VI odd, VI w_even, VI w_odd) {
  acc = hn::Add(acc, VI{COCO_X86(madd_epi16)(even.raw, w_even.raw)});
  return hn::Add(acc, VI{COCO_X86(madd_epi16)(odd.raw, w_odd.raw)});
}

#elif HWY_TARGET != HWY_SCALAR
#define COCO_DOT4_EXACT 1

// A product of u8 and s8 fits 16 bits: 255 * 128 = 32640.
HWY_INLINE VI Dot4(VI acc, VI x, VI w) {
  const DI di;
  const hn::RepartitionToNarrow<DI> d16;
  const auto half = hn::BitCast(d16, w);
  const auto even = hn::BitCast(d16, hn::And(x, hn::Set(di, 0xff00ff)));
  const auto odd = hn::BitCast(d16, hn::And(hn::ShiftRight<8>(x), hn::Set(di, 0xff00ff)));
  const auto even_products = hn::Mul(even, hn::ShiftRight<8>(hn::ShiftLeft<8>(half)));
  const auto odd_products = hn::Mul(odd, hn::ShiftRight<8>(half));
#if HWY_TARGET == HWY_NEON
  acc.raw = vpadalq_s16(acc.raw, even_products.raw);
  acc.raw = vpadalq_s16(acc.raw, odd_products.raw);
  return acc;
#else
  const VI a = hn::BitCast(di, even_products), b = hn::BitCast(di, odd_products);
  const VI high = hn::Add(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b));
  const VI low = hn::Add(hn::ShiftRight<16>(hn::ShiftLeft<16>(a)), hn::ShiftRight<16>(hn::ShiftLeft<16>(b)));
  return hn::Add(acc, hn::Add(high, low));
#endif
}
#endif

}  // namespace dot4
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
