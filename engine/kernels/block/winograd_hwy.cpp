#include <algorithm>
#include <utility>

#include "kernels/block/winograd.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block/winograd_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/block/block_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// out = B^T in: six values a stride apart to six.
HWY_INLINE void TransformIn(const float* in, ptrdiff_t stride, float* out, ptrdiff_t out_stride) {
  const BlockD d;
  const BlockV d0 = hn::LoadU(d, in), d1 = hn::LoadU(d, in + stride), d2 = hn::LoadU(d, in + 2 * stride);
  const BlockV d3 = hn::LoadU(d, in + 3 * stride), d4 = hn::LoadU(d, in + 4 * stride);
  const BlockV d5 = hn::LoadU(d, in + 5 * stride);
  const BlockV two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), five = hn::Set(d, 5.0f);
  const BlockV even = hn::NegMulAdd(four, d2, d4), odd = hn::NegMulAdd(four, d1, d3);  // d4 - 4 d2, d3 - 4 d1
  const BlockV near = hn::Sub(d4, d2), far = hn::Mul(two, hn::Sub(d3, d1));
  hn::StoreU(hn::MulAdd(four, d0, hn::NegMulAdd(five, d2, d4)), d, out);
  hn::StoreU(hn::Add(even, odd), d, out + out_stride);
  hn::StoreU(hn::Sub(even, odd), d, out + 2 * out_stride);
  hn::StoreU(hn::Add(near, far), d, out + 3 * out_stride);
  hn::StoreU(hn::Sub(near, far), d, out + 4 * out_stride);
  hn::StoreU(hn::MulAdd(four, d1, hn::NegMulAdd(five, d3, d5)), d, out + 5 * out_stride);
}

// y = A^T m: six values to four.
HWY_INLINE void TransformOut(const BlockV (&m)[kTileIn], BlockV (&y)[kTileOut]) {
  const BlockD d;
  const BlockV a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]), c = hn::Add(m[3], m[4]), e = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(m[0], hn::Add(a, c));
  y[1] = hn::MulAdd(hn::Set(d, 2.0f), e, b);
  y[2] = hn::MulAdd(hn::Set(d, 4.0f), c, a);
  y[3] = hn::Add(hn::MulAdd(hn::Set(d, 8.0f), e, b), m[5]);
}

// V of one tile and block: plane t goes to out + t * plane.
HWY_INLINE void TileIn(const float* in, ptrdiff_t row, float* out, ptrdiff_t plane) {
  alignas(64) float half[kTilePlanes * kBlock];
  for (int v = 0; v < kBlock; v += kBlockLanes) {
    for (int x = 0; x < kTileIn; ++x) TransformIn(in + x * kBlock + v, row, half + x * kBlock + v, kTileIn * kBlock);
    for (int i = 0; i < kTileIn; ++i)
      TransformIn(half + i * kTileIn * kBlock + v, kBlock, out + i * kTileIn * plane + v, plane);
  }
}

// What a tile sees of the picture and its border; zeros beyond.
HWY_NOINLINE void CopyTile(const float* in, ptrdiff_t row, int rows, int columns, float* copy) {
  std::fill_n(copy, kTilePlanes * kBlock, 0.0f);
  for (int i = 0; i < rows; ++i) std::copy_n(in + i * row, columns * kBlock, copy + i * kTileIn * kBlock);
}

HWY_NOINLINE void AllTilesIn(const WinogradArgs& args, float* planes) {
  const int across = winograd_tiles(args.width), blocks = channel_blocks(args.weights->in_channels);
  const ptrdiff_t block = ptrdiff_t(args.tiles) * kBlock, plane = blocks * block;
  alignas(64) float copy[kTilePlanes * kBlock];
  for (int i = 0; i < args.tiles; ++i) {
    const int y = (args.first_tile + i) / across * kTileOut, x = (args.first_tile + i) % across * kTileOut;
    const int rows = std::min(kTileIn, args.height + 2 - y), columns = std::min(kTileIn, args.width + 2 - x);
    const float* in = args.in + (y - 1) * args.in_row + ptrdiff_t(x - 1) * kBlock;
    for (int b = 0; b < blocks; ++b, in += args.in_block) {
      float* out = planes + b * block + ptrdiff_t(i) * kBlock;
      if (rows == kTileIn && columns == kTileIn) {
        TileIn(in, args.in_row, out, plane);
      } else {
        CopyTile(in, args.in_row, rows, columns, copy);
        TileIn(copy, kTileIn * kBlock, out, plane);
      }
    }
  }
}

// kPixels tiles x kBlocks blocks of one plane's products.
template <int kPixels, int kBlocks>
HWY_NOINLINE void PlaneTile(const float* in, ptrdiff_t in_block, int channels, const float* k, ptrdiff_t panel,
                            float* out, ptrdiff_t out_block) {
  constexpr int kAll = kBlocks * kBlockVectors;
  const BlockD d;
  BlockV acc[kPixels][kAll];
  COCO_UNROLL
  for (int p = 0; p < kPixels; ++p) {
    COCO_UNROLL
    for (int v = 0; v < kAll; ++v) acc[p][v] = hn::Zero(d);
  }
  for (; channels > 0; channels -= kBlock, in += in_block)
    k = BlockProducts<kPixels, kAll, kBlock>(in, kBlock, std::min(channels, kBlock), k, panel, acc);
  COCO_UNROLL
  for (int p = 0; p < kPixels; ++p) {
    COCO_UNROLL
    for (int v = 0; v < kAll; ++v)
      hn::StoreU(acc[p][v], d, out + v / kBlockVectors * out_block + p * kBlock + v % kBlockVectors * kBlockLanes);
  }
}

using PlaneTileFn = void (*)(const float*, ptrdiff_t, int, const float*, ptrdiff_t, float*, ptrdiff_t);

template <int kBlocks, int... kMinusOne>
PlaneTileFn PlaneTileOf(int pixels, std::integer_sequence<int, kMinusOne...>) {
  static constexpr PlaneTileFn kTiles[] = {PlaneTile<kMinusOne + 1, kBlocks>...};
  return kTiles[pixels - 1];
}

// M of every plane: sums over the input channels.
HWY_NOINLINE void AllProducts(const WinogradArgs& args, const float* in, float* out) {
  constexpr std::make_integer_sequence<int, kTilePixels> kSizes{};
  const BlockConvWeights& w = *args.weights;
  const int in_blocks = channel_blocks(w.in_channels), out_blocks = channel_blocks(w.out_channels);
  const ptrdiff_t block = ptrdiff_t(args.tiles) * kBlock, panel = ptrdiff_t(w.in_channels) * kBlock;
  const int parts = (args.tiles + kTilePixels - 1) / kTilePixels;
  const int size = args.tiles / parts, larger = args.tiles % parts;
  const float* k = w.data();
  for (int t = 0; t < kTilePlanes; ++t, in += in_blocks * block, out += out_blocks * block)
    for (int b = 0, some = 1; b < out_blocks; b += some, k += some * panel) {
      some = std::min(kTileBlocks, out_blocks - b);
      for (int part = 0, x = 0; part < parts; ++part) {
        const int pixels = size + (part < larger ? 1 : 0);
        const PlaneTileFn run = some == 1 ? PlaneTileOf<1>(pixels, kSizes) : PlaneTileOf<kTileBlocks>(pixels, kSizes);
        run(in + ptrdiff_t(x) * kBlock, block, w.in_channels, k, panel, out + b * block + ptrdiff_t(x) * kBlock, block);
        x += pixels;
      }
    }
}

// Results of one tile and block, the bias on them; rows of kTileOut pixels.
HWY_INLINE void TileOut(const float* planes, ptrdiff_t plane, const float* bias, float* out) {
  const BlockD d;
  for (int v = 0; v < kBlock; v += kBlockLanes) {
    BlockV half[kTileIn][kTileOut];
    COCO_UNROLL
    for (int i = 0; i < kTileIn; ++i) {
      BlockV m[kTileIn];
      COCO_UNROLL
      for (int j = 0; j < kTileIn; ++j) m[j] = hn::LoadU(d, planes + (i * kTileIn + j) * plane + v);
      TransformOut(m, half[i]);
    }
    const BlockV start = hn::LoadU(d, bias + v);
    COCO_UNROLL
    for (int j = 0; j < kTileOut; ++j) {
      const BlockV m[kTileIn] = {half[0][j], half[1][j], half[2][j], half[3][j], half[4][j], half[5][j]};
      BlockV y[kTileOut];
      TransformOut(m, y);
      COCO_UNROLL
      for (int i = 0; i < kTileOut; ++i) hn::StoreU(hn::Add(y[i], start), d, out + (i * kTileOut + j) * kBlock + v);
    }
  }
}

HWY_NOINLINE void AllTilesOut(const WinogradArgs& args, const float* planes) {
  const BlockConvWeights& w = *args.weights;
  const int across = winograd_tiles(args.width), blocks = channel_blocks(w.out_channels);
  const ptrdiff_t block = ptrdiff_t(args.tiles) * kBlock, plane = blocks * block;
  alignas(64) float results[kTileOut * kTileOut * kBlock];
  for (int b = 0; b < blocks; ++b)
    for (int i = 0; i < args.tiles; ++i) {
      const int y = (args.first_tile + i) / across * kTileOut, x = (args.first_tile + i) % across * kTileOut;
      TileOut(planes + b * block + ptrdiff_t(i) * kBlock, plane, w.bias.data() + b * kBlock, results);
      const int rows = std::min(kTileOut, args.height - y), columns = std::min(kTileOut, args.width - x);
      for (int r = 0; r < rows; ++r) {
        const ptrdiff_t column = ptrdiff_t(x) * kBlock;
        const float* add =
            args.add == nullptr ? nullptr : args.add + b * args.add_block + (y + r) * args.add_row + column;
        EndRow(w, b, results + r * kTileOut * kBlock, columns, add, args.add_first,
               args.out + b * args.out_block + (y + r) * args.out_row + column);
      }
    }
}

void Winograd(const WinogradArgs& args) {
  float* products =
      args.scratch + ptrdiff_t(kTilePlanes) * channel_blocks(args.weights->in_channels) * args.tiles * kBlock;
  AllTilesIn(args, args.scratch);
  AllProducts(args, args.scratch, products);
  AllTilesOut(args, products);
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(Winograd);
void winograd_hwy(const WinogradArgs& args) { HWY_DYNAMIC_DISPATCH(Winograd)(args); }
}  // namespace coco::kernels
#endif
