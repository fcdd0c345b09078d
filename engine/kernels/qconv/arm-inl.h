// Purpose: ways of computing entries of integer rows (and, by vectors, of blocks) on Arm: without dot products of
// bytes, and with them, which Highway 1.0 has no target for. All but `Mixed` read inputs as x - 128 (the top bit turned
// over), so that both sides are signed; their sums start higher by 128 times the sum of the weights
// (QuantConvRowWeights::flipped_bias). Included once per target.
#if defined(COCO_ARM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_ARM_INL_H
#undef COCO_ARM_INL_H
#else
#define COCO_ARM_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/qconv/arm.h"
#include "kernels/qconv/dot4-inl.h"
#include "kernels/sloped-inl.h"

#if HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64
HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace arm {
namespace hn = hwy::HWY_NAMESPACE;

using DI = hn::ScalableTag<int32_t>;
using VI = hn::Vec<DI>;
constexpr int kTile = 8;  // words of weights an entry has

HWY_INLINE VI Flipped(VI x) { return hn::Xor(x, hn::Set(DI(), static_cast<int32_t>(0x80808080))); }

using dot4::Load;

// Two entries at a time: products of both add up within 16 bits where no weight is -128.
struct Products {
  static constexpr int kTile = arm::kTile;
  static constexpr int kVectors = 1;
  static constexpr bool kFlipped = true;

  template <int kOc, int kVec>
  static HWY_INLINE void Run(const uint32_t* const* in, const uint32_t* const* in_end, const uint32_t* weights,
                             ptrdiff_t x, VI (&acc)[kOc][kVec]) {
    static_assert(kVec == 1);
    Sums sums[kOc];
    COCO_UNROLL
    for (int o = 0; o < kOc; ++o) sums[o].low = sums[o].high = vdupq_n_s32(0);
    for (; in_end - in >= 2; in += 2, weights += 2 * kTile) {
      const int8x16_t a = Bytes(Flipped(Load(in[0] + x))), b = Bytes(Flipped(Load(in[1] + x)));
      COCO_UNROLL
      for (int o = 0; o < kOc; o += 4) {
        const VI wa = Load(weights + o), wb = Load(weights + kTile + o);
        sums[o].Add(a, Lane<0>(wa), b, Lane<0>(wb));
        sums[o + 1].Add(a, Lane<1>(wa), b, Lane<1>(wb));
        sums[o + 2].Add(a, Lane<2>(wa), b, Lane<2>(wb));
        sums[o + 3].Add(a, Lane<3>(wa), b, Lane<3>(wb));
      }
    }
    if (in != in_end) {
      const int8x16_t a = Bytes(Flipped(Load(in[0] + x))), none = vdupq_n_s8(0);
      COCO_UNROLL
      for (int o = 0; o < kOc; ++o) sums[o].Add(a, vreinterpretq_s8_u32(vdupq_n_u32(weights[o])), none, none);
    }
    COCO_UNROLL
    for (int o = 0; o < kOc; ++o) acc[o][0].raw = vaddq_s32(acc[o][0].raw, vpaddq_s32(sums[o].low, sums[o].high));
  }

 private:
  // Of four outputs, each in two parts: the first two outputs, the last two.
  struct Sums {
    int32x4_t low, high;
    HWY_INLINE void Add(int8x16_t a, int8x16_t wa, int8x16_t b, int8x16_t wb) {
      const int16x8_t first = vmull_s8(vget_low_s8(a), vget_low_s8(wa)), last = vmull_high_s8(a, wa);
      low = vpadalq_s16(low, vmlal_s8(first, vget_low_s8(b), vget_low_s8(wb)));
      high = vpadalq_s16(high, vmlal_high_s8(last, b, wb));
    }
  };
  static HWY_INLINE int8x16_t Bytes(VI x) { return vreinterpretq_s8_s32(x.raw); }
  template <int kLane>
  static HWY_INLINE int8x16_t Lane(VI w) {
    return vreinterpretq_s8_s32(vdupq_laneq_s32(w.raw, kLane));
  }
};

#if COCO_NEON_DOTPROD
// The compiler may not use these instructions on its own; the assembler has to be told of them.
#if defined(__clang__)
#define COCO_ARM_DOT(text) text
#else
#define COCO_ARM_DOT(text) ".arch armv8.2-a+crypto+dotprod+i8mm\n\t" text
#endif

struct Signed {
  static constexpr bool kFlipped = true;
  static HWY_INLINE VI Input(VI x) { return Flipped(x); }
  static HWY_INLINE void Dot(VI& acc, VI x, VI w) {
    __asm__(COCO_ARM_DOT("sdot %0.4s, %1.16b, %2.16b") : "+w"(acc.raw) : "w"(x.raw), "w"(w.raw));
  }
  template <int kLane>
  static HWY_INLINE void Dot(VI& acc, VI x, VI w) {
    __asm__(COCO_ARM_DOT("sdot %0.4s, %1.16b, %2.4b[%3]") : "+w"(acc.raw) : "w"(x.raw), "w"(w.raw), "i"(kLane));
  }
};

#if COCO_NEON_I8MM
// u8 by s8.
struct Mixed {
  static constexpr bool kFlipped = false;
  static HWY_INLINE VI Input(VI x) { return x; }
  static HWY_INLINE void Dot(VI& acc, VI x, VI w) {
    __asm__(COCO_ARM_DOT("usdot %0.4s, %1.16b, %2.16b") : "+w"(acc.raw) : "w"(x.raw), "w"(w.raw));
  }
  template <int kLane>
  static HWY_INLINE void Dot(VI& acc, VI x, VI w) {
    __asm__(COCO_ARM_DOT("usdot %0.4s, %1.16b, %2.4b[%3]") : "+w"(acc.raw) : "w"(x.raw), "w"(w.raw), "i"(kLane));
  }
};
#endif

// Four words of weights in a register, each multiplied by its lane. 32 registers hold 8 channels x 3 vectors of sums,
// the inputs and the weights.
template <class Instruction>
struct ByLane {
  static constexpr int kTile = arm::kTile;
  static constexpr int kVectors = 3;
  static constexpr bool kFlipped = Instruction::kFlipped;

  template <int kOc, int kVec>
  static HWY_INLINE void Run(const uint32_t* const* in, const uint32_t* const* in_end, const uint32_t* weights,
                             ptrdiff_t x, VI (&acc)[kOc][kVec]) {
    for (; in != in_end; ++in, weights += kTile) Entry<kOc, kVec>(*in + x, weights, acc);
  }

 private:
  template <int kOc, int kVec>
  static HWY_INLINE void Entry(const uint32_t* in, const uint32_t* weights, VI (&acc)[kOc][kVec]) {
    VI input[kVec];
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) input[v] = Instruction::Input(Load(in + v * hn::Lanes(DI())));
    COCO_UNROLL
    for (int o = 0; o < kOc; o += 4) {
      const VI w = Load(weights + o);
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) Instruction::template Dot<0>(acc[o][v], input[v], w);
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) Instruction::template Dot<1>(acc[o + 1][v], input[v], w);
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) Instruction::template Dot<2>(acc[o + 2][v], input[v], w);
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) Instruction::template Dot<3>(acc[o + 3][v], input[v], w);
    }
  }
};
#endif

}  // namespace arm
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
