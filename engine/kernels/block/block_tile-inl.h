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

#include "kernels/sloped-inl.h"

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

// The activation of one vector; `slope` points at the slopes of its channels.
HWY_INLINE BlockV BlockActivate(const BlockConvWeights& w, const float* slope, BlockV v) {
  const BlockD d;
  switch (w.epilogue) {
    case Epilogue::kRelu:
      return hn::Max(v, hn::Zero(d));
    case Epilogue::kClip:
      return hn::Min(hn::Max(v, hn::Set(d, w.a)), hn::Set(d, w.b));
    case Epilogue::kLeakyRelu:
      return Sloped(v, hn::Set(d, w.a));
    case Epilogue::kPrelu:
      return Sloped(v, hn::LoadU(d, slope));
    default:
      return v;
  }
}

// acc[p][v] += sum over c of k[c][v] * in[p * stride + c], `channels` of one block; the next block's weights. kStride:
// `stride` when known, else 0. The second half of kRows = 2 rows of pixels is `row` floats behind the first. panel:
// floats between blocks of the result.
template <int kPixels, int kAll, int kStride, int kRows = 1>
HWY_INLINE const float* BlockProducts(const float* in, ptrdiff_t stride, int channels, const float* k, ptrdiff_t panel,
                                      BlockV (&acc)[kPixels][kAll], ptrdiff_t row = 0) {
  const BlockD d;
  constexpr int kAcross = kPixels / kRows;
  const ptrdiff_t step = kStride ? kStride : stride;
  for (const float* const end = in + channels; in != end; ++in, k += kBlock) {
    BlockV weight[kAll];
    COCO_UNROLL
    for (int v = 0; v < kAll; ++v)
      weight[v] = hn::LoadU(d, k + v / kBlockVectors * panel + v % kBlockVectors * kBlockLanes);
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      const BlockV input = hn::Set(d, in[p % kAcross * step + p / kAcross * row]);
      COCO_UNROLL
      for (int v = 0; v < kAll; ++v) acc[p][v] = hn::MulAdd(input, weight[v], acc[p][v]);
    }
  }
  return k;
}

// What becomes of one vector of sums: its activation and what is added. `add` may be null.
HWY_INLINE BlockV EndOfSum(const BlockConvWeights& w, const float* slope, const float* add, bool add_first,
                           BlockV sum) {
  const BlockD d;
  if (add != nullptr && add_first) sum = hn::Add(sum, hn::LoadU(d, add));
  sum = BlockActivate(w, slope, sum);
  return add != nullptr && !add_first ? hn::Add(sum, hn::LoadU(d, add)) : sum;
}

HWY_INLINE const float* SlopesOf(const BlockConvWeights& w, int block) {
  return w.epilogue == Epilogue::kPrelu ? w.slope.data() + block * kBlock : nullptr;
}

// Ends `pixels` sums of block `block` that lie in memory.
HWY_INLINE void EndRow(const BlockConvWeights& w, int block, const float* sums, int pixels, const float* add,
                       bool add_first, float* out) {
  const BlockD d;
  const float* slope = SlopesOf(w, block);
  for (ptrdiff_t i = 0; i < ptrdiff_t(pixels) * kBlock; i += kBlockLanes)
    hn::StoreU(EndOfSum(w, slope == nullptr ? nullptr : slope + i % kBlock, add == nullptr ? nullptr : add + i,
                        add_first, hn::LoadU(d, sums + i)),
               d, out + i);
}

// Ends a tile: kPixels from kFirst on of block `block` (counted from args.first_block), a pixel's accumulators begin at
// `from`. out_at, add_at: floats from the first pixel of args.out and args.add.
template <int kFirst, int kPixels, int kRest, int kAll>
HWY_INLINE void StoreBlock(const BlockConvArgs& args, int block, ptrdiff_t out_at, ptrdiff_t add_at, int from,
                           const BlockV (&acc)[kRest][kAll]) {
  const BlockD d;
  const float* slope = SlopesOf(*args.weights, args.first_block + block);
  float* out = args.out + block * args.out_block + out_at;
  const float* add = args.add == nullptr ? nullptr : args.add + block * args.add_block + add_at;
  COCO_UNROLL
  for (int p = 0; p < kPixels; ++p) {
    COCO_UNROLL
    for (int v = 0; v < kBlockVectors; ++v) {
      const ptrdiff_t lane = ptrdiff_t(p) * kBlock + v * kBlockLanes;
      hn::StoreU(EndOfSum(*args.weights, slope == nullptr ? nullptr : slope + v * kBlockLanes,
                          add == nullptr ? nullptr : add + lane, args.add_first, acc[kFirst + p][from + v]),
                 d, out + lane);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
