// Purpose: what the kernels over blocks of 16 channels share: a pixel's block as vectors, and the end of a tile.
// Included by each kernel's source once a target, at the top.
#include "kernels/block/block.h"

#if defined(COCO_BLOCK_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_BLOCK_TILE_INL_H
#undef COCO_BLOCK_TILE_INL_H
#else
#define COCO_BLOCK_TILE_INL_H
#endif

#include <hwy/highway.h>

#ifndef COCO_UNROLL
#if defined(__clang__)
#define COCO_UNROLL _Pragma("clang loop unroll(full)")
#else
#define COCO_UNROLL _Pragma("GCC unroll 16")
#endif
#endif

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using BlockD = hn::CappedTag<float, kBlock>;
using BlockV = hn::Vec<BlockD>;
constexpr int kBlockLanes = static_cast<int>(hn::MaxLanes(BlockD()));
constexpr int kBlockVectors = kBlock / kBlockLanes;  // of one block

// Registers decide the tile: pixels x vectors of out channels as accumulators, the weights, one broadcast input.
// 32 registers of 16 lanes hold 14 pixels x 2 blocks, of 4 lanes 6 x 1; 16 registers 6 x 1 of 8 lanes, and 2 x 1 where
// a product needs a register too.
#if HWY_TARGET <= HWY_AVX3
constexpr int kTilePixels = 14, kTileBlocks = 2;
#elif HWY_TARGET <= HWY_AVX2 || HWY_TARGET == HWY_NEON
constexpr int kTilePixels = 6, kTileBlocks = 1;
#elif HWY_TARGET == HWY_SCALAR
constexpr int kTilePixels = 1, kTileBlocks = 1;
#else
constexpr int kTilePixels = 2, kTileBlocks = 1;
#endif

// Highway 1.0's IfNegativeThenElse looks at every bit of the mask where there is no blend by sign (before SSE4.1).
HWY_INLINE BlockV BlockSloped(BlockV v, BlockV slope) {
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, hn::Zero(BlockD())), hn::Mul(v, slope), v);
#else
  return hn::IfNegativeThenElse(v, hn::Mul(v, slope), v);
#endif
}

// The activation of one vector; `slope` points at the slopes of its channels.
HWY_INLINE BlockV BlockActivate(const BlockConvWeights& w, const float* slope, BlockV v) {
  const BlockD d;
  switch (w.epilogue) {
    case Epilogue::kRelu:
      return hn::Max(v, hn::Zero(d));
    case Epilogue::kClip:
      return hn::Min(hn::Max(v, hn::Set(d, w.a)), hn::Set(d, w.b));
    case Epilogue::kLeakyRelu:
      return BlockSloped(v, hn::Set(d, w.a));
    case Epilogue::kPrelu:
      return BlockSloped(v, hn::LoadU(d, slope));
    default:
      return v;
  }
}

// Ends a tile: kPixels of block `block` (counted from args.first_block), `vectors` a pixel's accumulators begin at
// `from`. `at`: floats from the first pixel of args.out and args.add.
template <int kPixels, int kAll>
HWY_INLINE void StoreBlock(const BlockConvArgs& args, int block, ptrdiff_t out_at, ptrdiff_t add_at, int from,
                           const BlockV (&acc)[kPixels][kAll]) {
  const BlockD d;
  const BlockConvWeights& w = *args.weights;
  const float* slope = w.epilogue == Epilogue::kPrelu ? w.slope.data() + (args.first_block + block) * kBlock : nullptr;
  float* out = args.out + block * args.out_block + out_at;
  const float* add = args.add == nullptr ? nullptr : args.add + block * args.add_block + add_at;
  COCO_UNROLL
  for (int p = 0; p < kPixels; ++p) {
    COCO_UNROLL
    for (int v = 0; v < kBlockVectors; ++v) {
      const ptrdiff_t lane = ptrdiff_t(p) * kBlock + v * kBlockLanes;
      BlockV sum = acc[p][from + v];
      if (add != nullptr && args.add_first) sum = hn::Add(sum, hn::LoadU(d, add + lane));
      sum = BlockActivate(w, slope == nullptr ? nullptr : slope + v * kBlockLanes, sum);
      if (add != nullptr && !args.add_first) sum = hn::Add(sum, hn::LoadU(d, add + lane));
      hn::StoreU(sum, d, out + lane);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
