#include <algorithm>
#include <utility>

#include "kernels/block/quant_block.h"
#include "kernels/qconv/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block/quant_block_conv_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/block/quant_block_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void QuantBlockConv(const QuantBlockArgs& args) { quant_block_conv_ref(args); }

#else

using quant_block::kVectors;
using quant_block::VI;

// Registers decide the tile: pixels x vectors of out channels as sums, the weights, one input in every lane, and where
// products are widened a register or two more.
#if HWY_TARGET <= HWY_AVX3_DL
constexpr int kQuantPixels = 14, kQuantBlocks = 2;
#elif HWY_TARGET <= HWY_AVX3
constexpr int kQuantPixels = 12, kQuantBlocks = 2;
#elif HWY_TARGET <= HWY_AVX2 || HWY_TARGET == HWY_NEON
constexpr int kQuantPixels = 4, kQuantBlocks = 1;
#else
constexpr int kQuantPixels = 2, kQuantBlocks = 1;
#endif

// A tile's place: its block (counted from args.first_block), bytes from args.in, elements from args.out.
struct QuantPlace {
  int block;
  ptrdiff_t in, out;
};

// What a tile reads: kAcross neighbouring pixels of one row or several. kStride: bytes between pixels when known, else
// 0.
template <int kAcross, int kStride>
struct QuantInputs {
  const uint8_t* in;
  ptrdiff_t pixel, row;
  HWY_INLINE VI Word(ptrdiff_t offset, int p) const {
    int32_t word;
    std::memcpy(&word, in + offset + p % kAcross * (kStride ? kStride : pixel) + p / kAcross * row, sizeof word);
    return hn::Set(quant_block::DI(), word);
  }
};

// `count` entries: acc[p][kFrom + v] += word of pixel p . weights[v]; kSome vectors of each entry's kStep words.
template <class Way, int kFrom, int kSome, int kPixels, int kAll, class Inputs>
HWY_INLINE void AddEntries(const Inputs& inputs, const ptrdiff_t* offset, size_t count, const uint32_t* words,
                           ptrdiff_t step, VI (&acc)[kPixels][kAll]) {
  for (const ptrdiff_t* const end = offset + count; offset != end; ++offset, words += step) {
    Way weight[kSome];
    COCO_UNROLL
    for (int v = 0; v < kSome; ++v) weight[v] = Way(quant_block::Load(words + v * quant_block::kLanes));
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      const VI x = inputs.Word(*offset, p);
      COCO_UNROLL
      for (int v = 0; v < kSome; ++v) acc[p][kFrom + v] = weight[v].Add(acc[p][kFrom + v], x);
    }
  }
}

template <class Way, int kAcross, int kBlocks, int kStride, int kRows>
HWY_NOINLINE void QuantTile(const QuantBlockArgs& args, const QuantPlace& at) {
  constexpr int kAll = kBlocks * kVectors, kPixels = kRows * kAcross;
  const QuantBlockWeights& w = *args.weights;
  const int block = args.first_block + at.block;
  const QuantBlockPair& pair = w.pairs[static_cast<size_t>(block / 2)];
  const std::vector<int32_t>& bias = Way::kFlipped ? w.flipped_bias : w.bias;
  VI acc[kPixels][kAll];
  COCO_UNROLL
  for (int v = 0; v < kAll; ++v) {
    const VI start = quant_block::Load(bias.data() + block * kBlock + v * quant_block::kLanes);
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) acc[p][v] = start;
  }
  const QuantInputs<kAcross, kStride> inputs{args.in + at.in, args.in_pixel, args.in_row};
  const ptrdiff_t* offset = args.offsets + pair.entry;
  const uint32_t* words = w.words + pair.word;
  if constexpr (kBlocks == 2) {
    AddEntries<Way, 0, kAll>(inputs, offset, pair.both, words, 2 * kBlock, acc);
    offset += pair.both, words += pair.both * 2 * kBlock;
    AddEntries<Way, 0, kVectors>(inputs, offset, pair.first, words, kBlock, acc);
    offset += pair.first, words += pair.first * kBlock;
    AddEntries<Way, kVectors, kVectors>(inputs, offset, pair.second, words, kBlock, acc);
  } else {
    const bool second = block % 2 != 0;
    AddEntries<Way, 0, kVectors>(inputs, offset, pair.both, words + (second ? kBlock : 0), 2 * kBlock, acc);
    const size_t past = second ? pair.first : 0;
    AddEntries<Way, 0, kVectors>(inputs, offset + pair.both + past, second ? pair.second : pair.first,
                                 words + pair.both * 2 * kBlock + past * kBlock, kBlock, acc);
  }
  const auto store = [&]<int kRow, int kBlockOfPair>() HWY_ATTR {
    quant_block::Store<kRow * kAcross, kAcross, kBlockOfPair * kVectors>(
        w, block + kBlockOfPair, args.out, (at.block + kBlockOfPair) * args.out_block + at.out + kRow * args.out_row,
        acc);
  };
  store.template operator()<0, 0>();
  if constexpr (kRows == 2) store.template operator()<1, 0>();
  if constexpr (kBlocks == 2) store.template operator()<0, 1>();
  if constexpr (kRows == 2 && kBlocks == 2) store.template operator()<1, 1>();
}

using QuantTileFn = void (*)(const QuantBlockArgs&, const QuantPlace&);

template <class Way, int kBlocks, int kStride, int kRows, int... kMinusOne>
QuantTileFn QuantTileOf(int pixels, std::integer_sequence<int, kMinusOne...>) {
  static constexpr QuantTileFn kTiles[] = {QuantTile<Way, kMinusOne + 1, kBlocks, kStride, kRows>...};
  return kTiles[pixels - 1];
}

template <class Way, int kBlocks>
QuantTileFn QuantTileOf(int pixels, int rows, bool unit) {
  constexpr std::make_integer_sequence<int, kQuantPixels> kSizes{};
  constexpr std::make_integer_sequence<int, kQuantPixels / 2> kHalfSizes{};
  if (rows == 2) return QuantTileOf<Way, kBlocks, 0, 2>(pixels, kHalfSizes);
  if (unit) return QuantTileOf<Way, kBlocks, kBlock, 1>(pixels, kSizes);
  return QuantTileOf<Way, kBlocks, 0, 1>(pixels, kSizes);
}

template <class Way>
QuantTileFn QuantTileFor(const QuantBlockArgs& args, int pixels, int blocks, int rows) {
  const bool unit = args.in_pixel == kBlock;
  return blocks == 1 ? QuantTileOf<Way, 1>(pixels, rows, unit) : QuantTileOf<Way, kQuantBlocks>(pixels, rows, unit);
}

// A row in tiles of nearly equal size: with few pixels a tile, sums would wait for one another. Narrow pictures fill a
// tile with two rows.
template <class Way>
void QuantBlockConvBy(const QuantBlockArgs& args) {
  const int tiles = (args.pixels + kQuantPixels - 1) / kQuantPixels;
  const int size = args.pixels / tiles, larger = args.pixels % tiles;
  for (int block = 0, some = 1; block < args.blocks; block += some) {
    some = std::min(kQuantBlocks, args.blocks - block);
    int y = 0;
    if (args.pixels <= kQuantPixels / 2) {
      const QuantTileFn pair = QuantTileFor<Way>(args, args.pixels, some, 2);
      for (; y + 1 < args.rows; y += 2) pair(args, {block, y * args.in_row, y * args.out_row});
    }
    const QuantTileFn large = QuantTileFor<Way>(args, std::min(size + 1, kQuantPixels), some, 1);
    const QuantTileFn small = QuantTileFor<Way>(args, size, some, 1);
    for (; y < args.rows; ++y) {
      QuantPlace at{block, y * args.in_row, y * args.out_row};
      for (int tile = 0; tile < tiles; ++tile) {
        const int pixels = size + (tile < larger ? 1 : 0);
        (tile < larger ? large : small)(args, at);
        at.in += pixels * args.in_pixel;
        at.out += pixels * kBlock;
      }
    }
  }
}

void QuantBlockConv(const QuantBlockArgs& args) {
#if defined(COCO_DOT4_PAIRS)
  if (args.weights->narrow) return QuantBlockConvBy<quant_block::Narrow>(args);
#endif
  QuantBlockConvBy<quant_block::Exact>(args);
}

#if HWY_TARGET == HWY_NEON && COCO_NEON_DOTPROD
void QuantBlockConvSigned(const QuantBlockArgs& args) {
  QuantBlockConvBy<quant_block::ByInstruction<arm::Signed>>(args);
}
#endif
#if HWY_TARGET == HWY_NEON && COCO_NEON_I8MM
void QuantBlockConvMixed(const QuantBlockArgs& args) { QuantBlockConvBy<quant_block::ByInstruction<arm::Mixed>>(args); }
#endif

#endif

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(QuantBlockConv);
void quant_block_conv_hwy(const QuantBlockArgs& args) { HWY_DYNAMIC_DISPATCH(QuantBlockConv)(args); }
#if COCO_NEON_DOTPROD
void quant_block_conv_dotprod(const QuantBlockArgs& args) { N_NEON::QuantBlockConvSigned(args); }
#endif
#if COCO_NEON_I8MM
void quant_block_conv_i8mm(const QuantBlockArgs& args) { N_NEON::QuantBlockConvMixed(args); }
#endif
}  // namespace coco::kernels
#endif
