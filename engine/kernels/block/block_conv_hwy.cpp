#include <algorithm>
#include <utility>

#include "kernels/block/block.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block/block_conv_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/block/block_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where a tile stands, in floats from the pointers of args.
struct Place {
  int block;
  ptrdiff_t in, out, add;
};

// kAcross neighbouring pixels of kRows rows x kBlocks blocks of channels. kStride: floats between their inputs when
// known, else 0.
template <int kAcross, int kBlocks, int kStride, int kRows = 1>
HWY_NOINLINE void ConvTile(const BlockConvArgs& args, const Place& at) {
  constexpr int kAll = kBlocks * kBlockVectors, kPixels = kRows * kAcross;
  const BlockD d;
  const BlockConvWeights& w = *args.weights;
  const ptrdiff_t panel = w.panel();
  const float* bias = w.bias.data() + (args.first_block + at.block) * kBlock;
  const float* k = w.data() + (args.first_block + at.block) * panel;
  BlockV acc[kPixels][kAll];
  COCO_UNROLL
  for (int v = 0; v < kAll; ++v) {
    const BlockV start = hn::LoadU(d, bias + v * kBlockLanes);
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) acc[p][v] = start;
  }
  const float* plane = args.in + at.in;
  for (int left = w.in_channels; left > 0; left -= kBlock, plane += args.in_block) {
    int channels = left < kBlock ? left : kBlock, columns = w.kernel_w;
    // Taps side by side are as many channels more.
    if (args.tap_column == channels) channels *= std::exchange(columns, 1);
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < columns; ++kx) {
        const float* in = plane + ky * args.tap_row + kx * args.tap_column;
        k = BlockProducts<kPixels, kAll, kStride, kRows>(in, args.in_pixel, channels, k, panel, acc, args.in_row);
      }
  }
  COCO_UNROLL
  for (int b = 0; b < kBlocks; ++b) {
    StoreBlock<0, kAcross>(args, at.block + b, at.out, at.add, b * kBlockVectors, acc);
    if constexpr (kRows == 2)
      StoreBlock<kAcross, kAcross>(args, at.block + b, at.out + args.out_row, at.add + args.add_row, b * kBlockVectors,
                                   acc);
  }
}

using ConvTileFn = void (*)(const BlockConvArgs&, const Place&);

template <int kBlocks, int kStride, int... kMinusOne>
ConvTileFn TileOf(int pixels, std::integer_sequence<int, kMinusOne...>) {
  static constexpr ConvTileFn kTiles[] = {ConvTile<kMinusOne + 1, kBlocks, kStride>...};
  return kTiles[pixels - 1];
}

ConvTileFn TileFor(int pixels, int blocks, bool unit) {
  constexpr std::make_integer_sequence<int, kTilePixels> kSizes{};
  if (blocks == 1) return unit ? TileOf<1, kBlock>(pixels, kSizes) : TileOf<1, 0>(pixels, kSizes);
  return unit ? TileOf<kTileBlocks, kBlock>(pixels, kSizes) : TileOf<kTileBlocks, 0>(pixels, kSizes);
}

constexpr int kPairPixels = kTilePixels > 1 ? kTilePixels / 2 : 1;
template <int... kMinusOne>
ConvTileFn TwoRows(int pixels, std::integer_sequence<int, kMinusOne...>) {
  static constexpr ConvTileFn kTiles[] = {ConvTile<kMinusOne + 1, kTileBlocks, 0, 2>...};
  return kTiles[pixels - 1];
}

// A row in tiles of nearly equal size: with few pixels a tile, multiply-adds would wait for one another.
void BlockConv(const BlockConvArgs& args) {
  const int tiles = (args.pixels + kTilePixels - 1) / kTilePixels;
  const int size = args.pixels / tiles, larger = args.pixels % tiles;
  for (int block = 0, some = 1; block < args.blocks; block += some) {
    some = std::min(kTileBlocks, args.blocks - block);
    const ConvTileFn large = TileFor(std::min(size + 1, kTilePixels), some, args.in_pixel == kBlock);
    const ConvTileFn small = TileFor(size, some, args.in_pixel == kBlock);
    int y = 0;
    // Narrow pictures fill a tile with two rows.
    if (args.pixels <= kPairPixels && some == kTileBlocks) {
      const ConvTileFn run = TwoRows(args.pixels, std::make_integer_sequence<int, kPairPixels>{});
      for (; y + 1 < args.rows; y += 2) run(args, {block, y * args.in_row, y * args.out_row, y * args.add_row});
    }
    for (; y < args.rows; ++y) {
      Place at{block, y * args.in_row, y * args.out_row, y * args.add_row};
      for (int tile = 0; tile < tiles; ++tile) {
        const int pixels = size + (tile < larger ? 1 : 0);
        (tile < larger ? large : small)(args, at);
        at.in += pixels * args.in_pixel;
        at.out += pixels * kBlock;
        at.add += pixels * kBlock;
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(BlockConv);
void block_conv_hwy(const BlockConvArgs& args) { HWY_DYNAMIC_DISPATCH(BlockConv)(args); }
}  // namespace coco::kernels
#endif
