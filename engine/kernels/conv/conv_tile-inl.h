// Purpose: the register tile of the f32 convolution kernels: output channels x vectors of columns, one tap at a time.
// Included by each kernel's source once a target, at the top.
#include "kernels/conv/conv_row.h"

#if defined(COCO_CONV_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_CONV_TILE_INL_H
#undef COCO_CONV_TILE_INL_H
#else
#define COCO_CONV_TILE_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/sloped-inl.h"

#ifndef COCO_IN_REGISTER
// Keeps a loaded vector in a register. Left alone, GCC folds the load into each multiply-add that uses it, and the
// row is then bound by its (unaligned) loads: 33 instead of 21 a tap triple.
#if defined(__x86_64__) && !defined(__clang__)
#define COCO_IN_REGISTER(v) __asm__("" : "+v"((v).raw))
#elif defined(__aarch64__) && !defined(__clang__)
#define COCO_IN_REGISTER(v) __asm__("" : "+w"((v).raw))
#else
#define COCO_IN_REGISTER(v) static_cast<void>(v)
#endif
#endif

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Registers decide the tile: accumulators + input vectors + one broadcast weight must fit. 32 registers hold
// 8 channels x 3 vectors, 16 registers 4 x 3; without fused multiply-add a product needs a register too.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kOcTile = 8, kVectors = 3;
#elif HWY_TARGET <= HWY_AVX2
constexpr int kOcTile = 4, kVectors = 3;
#else
constexpr int kOcTile = 4, kVectors = 2;
#endif

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A clip, or a slope for negative values (1 where there is no activation).
HWY_INLINE V Activate(const ConvRowWeights& w, V slope, V v) {
  const D d;
  if (w.epilogue != Epilogue::kClip) return Sloped(v, slope);
  return hn::Min(hn::Max(v, hn::Set(d, w.a)), hn::Set(d, w.b));
}

#undef COCO_HAS_TAPS_4X3
#include "kernels/conv/tap_avx2-inl.h"

// One weight of kOc channels times kVec vectors of input.
template <int kOc, int kVec>
HWY_INLINE void Tap(const float* in, const float* weights, V (&acc)[kOc][kVec]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V input[kVec];
  COCO_UNROLL
  for (int v = 0; v < kVec; ++v) {
    input[v] = hn::LoadU(d, in + v * lanes);
    COCO_IN_REGISTER(input[v]);
  }
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const V weight = hn::Set(d, weights[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) acc[o][v] = hn::MulAdd(input[v], weight, acc[o][v]);
  }
}

// The taps of one kernel row: acc[o][v] += sum over c, kx of weights[c][kx][o] * in[c][kx * dilation + column]. kW: the
// kernel's width when known, 0 otherwise.
template <int kOc, int kVec, int kW>
HWY_INLINE void KernelRow(const ConvRowWeights& w, int channels, const float* in, ptrdiff_t channel_stride,
                          const float* weights, V (&acc)[kOc][kVec]) {
  const ptrdiff_t dilation = w.dilation_x;
#if defined(COCO_HAS_TAPS_4X3)
  if constexpr (kOc == 4 && kVec == 3 && kW == 3) {
    constexpr ptrdiff_t kFloat = sizeof(float);
    return Taps4x3({in, weights, kFloat * channel_stride, kFloat * dilation, channels}, acc);
  }
#endif
  const int kernel_w = kW ? kW : w.kernel_w;
  for (int c = 0; c < channels; ++c, in += channel_stride, weights += kernel_w * kOc) {
    if constexpr (kW != 0) {
      COCO_UNROLL
      for (int kx = 0; kx < kW; ++kx) Tap<kOc, kVec>(in + kx * dilation, weights + kx * kOc, acc);
    } else {
      for (int kx = 0; kx < kernel_w; ++kx) Tap<kOc, kVec>(in + kx * dilation, weights + kx * kOc, acc);
    }
  }
}

// acc[o][v] += sum over i of weights[i][o] * in[i][column + x].
template <int kOc, int kVec>
HWY_INLINE void TapList(const float* const* in, ptrdiff_t x, const float* weights, size_t count, V (&acc)[kOc][kVec]) {
#if defined(COCO_HAS_TAPS_4X3)
  if constexpr (kOc == 4 && kVec == 3) return TapList4x3({in, weights, ptrdiff_t(sizeof(float)) * x, count}, acc);
#endif
  for (size_t i = 0; i < count; ++i) Tap<kOc, kVec>(in[i] + x, weights + i * kOc, acc);
}

// Slopes of negative values, per channel of the tile; 1 leaves them as they are.
HWY_INLINE void FillSlopes(const ConvRowWeights& w, int channel, int tile, float* slope) {
  for (int o = 0; o < tile; ++o) {
    slope[o] = w.epilogue == Epilogue::kRelu        ? 0.0f
               : w.epilogue == Epilogue::kLeakyRelu ? w.a
               : w.epilogue == Epilogue::kPrelu     ? w.slope[channel + o]
                                                    : 1.0f;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
