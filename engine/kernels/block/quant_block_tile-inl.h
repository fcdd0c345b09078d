// Purpose: from sums of 16 channels a pixel to the bytes or floats of a block, for the integer kernels over blocks.
// Included by each kernel's source once a target, at the top.
#include "kernels/block/quant_block.h"

#if defined(COCO_QUANT_BLOCK_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_QUANT_BLOCK_TILE_INL_H
#undef COCO_QUANT_BLOCK_TILE_INL_H
#else
#define COCO_QUANT_BLOCK_TILE_INL_H
#endif

#include <hwy/highway.h>

#include <cstring>

#include "kernels/qconv/arm-inl.h"
#include "kernels/qconv/dot4-inl.h"
#include "kernels/qconv/requantize-inl.h"
#include "kernels/sloped-inl.h"

#if HWY_TARGET != HWY_SCALAR
HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace quant_block {
namespace hn = hwy::HWY_NAMESPACE;

using DI = requantize::DI;
using VI = requantize::VI;
using DF = requantize::DF;
using VF = requantize::VF;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(DI()));
constexpr int kVectors = kBlock / kLanes;  // of one block
constexpr int kGroup = 4 / kVectors;       // pixels whose bytes fill a vector

using dot4::Load;

// Scales of one block.
struct Scales {
  VF scale[kVectors], negative[kVectors];
  bool linear;
  HWY_INLINE Scales(const QuantBlockWeights& w, int block) : linear(w.linear) {
    COCO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      scale[v] = hn::LoadU(DF(), w.scale.data() + block * kBlock + v * kLanes);
      negative[v] = hn::LoadU(DF(), w.negative.data() + block * kBlock + v * kLanes);
    }
  }
  HWY_INLINE VF Float(int v, VI acc) const {
    if (linear) return hn::Mul(hn::ConvertTo(DF(), acc), scale[v]);
    return requantize::Scaled(acc, scale[v], negative[v]);
  }
};

// Where the words of a group's pixels, in order, stand in what requantize::Bytes leaves.
struct GroupOrder {
  alignas(64) int32_t from[kLanes] = {};
  constexpr GroupOrder() {
    constexpr int kParts = kLanes / 4;  // 128 bits each
    for (int i = 0; i < kLanes; ++i) from[i] = i % 4 % kParts * 4 + i / 4 * kVectors + i % 4 / kParts;
  }
};

// Bytes of kGroup pixels, v[pixel * kVectors + vector of the block], as they lie in a block.
HWY_INLINE void StoreGroup(const VI (&v)[4], const requantize::Bounds& bounds, int pixels, uint8_t* out) {
#if defined(COCO_NARROW)
  const hn::Repartition<uint8_t, DI> d8;
  auto bytes = requantize::Bytes(v, bounds);
  if constexpr (kLanes > 4) {
    static constexpr GroupOrder kOrder;
    bytes = hn::BitCast(d8, hn::TableLookupLanes(hn::BitCast(DI(), bytes), hn::SetTableIndices(DI(), kOrder.from)));
  }
  if (pixels == kGroup) return hn::StoreU(bytes, d8, out);
  alignas(64) uint8_t some[4 * kLanes];
  hn::StoreU(bytes, d8, some);
  std::memcpy(out, some, size_t(pixels) * kBlock);
#else
  int32_t sums[4 * kLanes];
  for (int i = 0; i < 4; ++i) hn::StoreU(v[i], DI(), sums + i * kLanes);
  for (int i = 0; i < pixels * kBlock; ++i) {
    const int32_t sum = sums[i] + bounds.zero_point;
    out[i] = static_cast<uint8_t>(sum < bounds.low ? bounds.low : sum > bounds.high ? bounds.high : sum);
  }
#endif
}

// Ends the sums of kPixels pixels of a block: those from kFirst on, a pixel's vectors from kFrom on. `at`: elements.
template <int kFirst, int kPixels, int kFrom, int kRest, int kAll>
HWY_INLINE void Store(const QuantBlockWeights& w, int block, void* out, ptrdiff_t at, const VI (&acc)[kRest][kAll]) {
  const Scales scales(w, block);
  if (w.dequantize) {
    float* to = static_cast<float*>(out) + at;
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      COCO_UNROLL
      for (int v = 0; v < kVectors; ++v)
        hn::StoreU(scales.Float(v, acc[kFirst + p][kFrom + v]), DF(), to + p * kBlock + v * kLanes);
    }
    return;
  }
  uint8_t* to = static_cast<uint8_t*>(out) + at;
  const requantize::Bounds bounds{w.out_zero_point, w.low, w.high};
  COCO_UNROLL
  for (int p = 0; p < kPixels; p += kGroup) {
    VI values[4];
    COCO_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int pixel = kFirst + (p + i / kVectors < kPixels ? p + i / kVectors : kPixels - 1), v = i % kVectors;
      values[i] = requantize::Rounded(scales.Float(v, acc[pixel][kFrom + v]));
    }
    StoreGroup(values, bounds, kPixels - p < kGroup ? kPixels - p : kGroup, to + p * kBlock);
  }
}

// Ways of a step: acc + x . weight, x's bytes unsigned.
struct OneProduct {
  static constexpr bool kFlipped = false;
  VI weight;
  HWY_INLINE OneProduct() = default;
  HWY_INLINE explicit OneProduct(VI w) : weight(w) {}
  HWY_INLINE VI Add(VI acc, VI x) const { return dot4::Dot4(acc, x, weight); }
};
#if defined(COCO_DOT4_PAIRS)
using Narrow = OneProduct;  // QuantBlockWeights::narrow
struct Exact {
  static constexpr bool kFlipped = false;
  VI even, odd;
  HWY_INLINE Exact() = default;
  HWY_INLINE explicit Exact(VI weight) {
    const auto half = hn::BitCast(hn::Repartition<int16_t, DI>(), weight);
    even = hn::BitCast(DI(), hn::ShiftRight<8>(hn::ShiftLeft<8>(half)));
    odd = hn::BitCast(DI(), hn::ShiftRight<8>(half));
  }
  HWY_INLINE VI Add(VI acc, VI x) const { return dot4::DotWide(acc, dot4::EvenBytes(x), dot4::OddBytes(x), even, odd); }
};
#else
using Exact = OneProduct;
#endif

#if HWY_TARGET == HWY_NEON && COCO_NEON_DOTPROD
// arm::Signed or arm::Mixed
template <class Instruction>
struct ByInstruction {
  static constexpr bool kFlipped = Instruction::kFlipped;
  VI weight;
  HWY_INLINE ByInstruction() = default;
  HWY_INLINE explicit ByInstruction(VI w) : weight(w) {}
  HWY_INLINE VI Add(VI acc, VI x) const {
    Instruction::Dot(acc, Instruction::Input(x), weight);
    return acc;
  }
};
#endif

}  // namespace quant_block
}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
