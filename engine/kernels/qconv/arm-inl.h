// Purpose: entries of integer rows by Arm's dot products of bytes, which Highway 1.0 has no target for: four words of
// weights in a register, each multiplied by its lane. Included once per target, after dot4-inl.h.
#if defined(COCO_ARM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_ARM_INL_H
#undef COCO_ARM_INL_H
#else
#define COCO_ARM_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/qconv/arm.h"

#if HWY_TARGET == HWY_NEON && COCO_NEON_DOTPROD
HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace arm {
namespace hn = hwy::HWY_NAMESPACE;

using DI = hn::ScalableTag<int32_t>;
using VI = hn::Vec<DI>;

// The compiler may not use these instructions on its own; the assembler has to be told of them.
#if defined(__clang__)
#define COCO_ARM_DOT(text) text
#else
#define COCO_ARM_DOT(text) ".arch armv8.2-a+crypto+dotprod+i8mm\n\t" text
#endif

// Both sides signed. Inputs are read as x - 128 (the top bit turned over); the sums start higher by 128 times the sum
// of the weights (QuantConvRowWeights::flipped_bias).
struct Signed {
  static constexpr bool kFlipped = true;
  static HWY_INLINE VI Input(VI x) { return hn::Xor(x, hn::Set(DI(), static_cast<int32_t>(0x80808080))); }
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
  template <int kLane>
  static HWY_INLINE void Dot(VI& acc, VI x, VI w) {
    __asm__(COCO_ARM_DOT("usdot %0.4s, %1.16b, %2.4b[%3]") : "+w"(acc.raw) : "w"(x.raw), "w"(w.raw), "i"(kLane));
  }
};
#endif

// How a tile is computed: 32 registers hold 8 channels x 3 vectors of sums, the inputs and the weights.
template <class Instruction>
struct ByLane {
  static constexpr int kVectors = 3;
  static constexpr bool kFlipped = Instruction::kFlipped;

  // One entry of kOc channels times kVec vectors of input.
  template <int kOc, int kVec>
  static HWY_INLINE void Entry(const uint32_t* in, const uint32_t* weights, VI (&acc)[kOc][kVec]) {
    const DI di;
    VI input[kVec];
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v)
      input[v] = Instruction::Input(hn::LoadU(di, reinterpret_cast<const int32_t*>(in) + v * hn::Lanes(di)));
    COCO_UNROLL
    for (int o = 0; o < kOc; o += 4) {
      const VI w = hn::LoadU(di, reinterpret_cast<const int32_t*>(weights) + o);
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

}  // namespace arm
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
