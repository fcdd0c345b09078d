#include "kernels/conv/conv_taps.h"

#include <algorithm>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv_taps_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Taps whose addresses are resolved at once; a tile with more takes them from the sums so far.
constexpr size_t kMaxPointers = 1024;

// What stays the same along a row for one tile of channels.
struct TapsTile {
  const ConvRowWeights* shape;
  const float* const* in;  // tap 0 .. count - 1 at output 0
  const float* weights;
  size_t count;
  bool first, last;  // part of the tile's taps: begins with the bias, ends with the activation
  int channel;
  float* out;
  ptrdiff_t out_channel_stride;
  float slope[8];
};

template <int kOc, int kVec>
HWY_INLINE void TapsBlock(const TapsTile& t, ptrdiff_t x) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V acc[kOc][kVec];
  float* out = t.out + t.channel * t.out_channel_stride + x;
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const V bias = hn::Set(d, t.shape->bias[t.channel + o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v)
      acc[o][v] = t.first ? bias : hn::LoadU(d, out + o * t.out_channel_stride + v * lanes);
  }
  TapList<kOc, kVec>(t.in, x, t.weights, t.count, acc);
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const V slope = hn::Set(d, t.slope[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) {
      const V result = t.last ? Activate(*t.shape, slope, acc[o][v]) : acc[o][v];
      hn::StoreU(result, d, out + o * t.out_channel_stride + v * lanes);
    }
  }
}

// One tile along a row: whole vectors, as many at a time as the registers hold.
template <int kOc>
HWY_NOINLINE void TapsRow(const TapsTile& t, ptrdiff_t width) {
  const ptrdiff_t lanes = hn::Lanes(D());
  ptrdiff_t x = 0;
  for (; width - x > (kVectors - 1) * lanes; x += kVectors * lanes) TapsBlock<kOc, kVectors>(t, x);
  if (kVectors > 2 && width - x > lanes) {
    TapsBlock<kOc, 2>(t, x);
    x += 2 * lanes;
  }
  if (width > x) TapsBlock<kOc, 1>(t, x);
}

HWY_INLINE void TapsRowOf(int channels, const TapsTile& t, ptrdiff_t width) {
  switch (channels) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
    case 8:
      return TapsRow<8>(t, width);
#endif
    case 4:
      return TapsRow<4>(t, width);
    case 2:
      return TapsRow<2>(t, width);
    default:
      return TapsRow<1>(t, width);
  }
}

void ConvTaps(const ConvTapsArgs& args) {
  const ConvTapsWeights& w = *args.weights;
  const float* in[kMaxPointers];
  for (const ConvTapsTile& tile : w.tiles) {
    TapsTile t;
    t.shape = &w.shape, t.in = in, t.channel = tile.first;
    t.out = args.out, t.out_channel_stride = args.out_channel_stride;
    FillSlopes(w.shape, tile.first, tile.channels, t.slope);
    // Kernel rows inside the picture are neighbours, so their weights stand side by side.
    t.first = true, t.count = 0, t.weights = nullptr;
    const auto flush = [&](bool last) HWY_ATTR {
      t.last = last;
      TapsRowOf(tile.channels, t, args.width);
      t.first = false, t.count = 0;
    };
    for (int r = 0; r < args.row_count; ++r)
      for (size_t i = tile.row_begin[args.ky[r]]; i < tile.row_begin[args.ky[r] + 1]; ++i) {
        if (t.count == kMaxPointers) flush(false);
        if (t.count == 0) t.weights = w.weights.data() + tile.weight_begin + (i - tile.row_begin[0]) * tile.channels;
        in[t.count++] = args.rows[r] + w.taps[i].channel * args.in_channel_stride + w.taps[i].offset;
      }
    flush(true);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(ConvTaps);
void conv_taps_hwy(const ConvTapsArgs& args) { HWY_DYNAMIC_DISPATCH(ConvTaps)(args); }
}  // namespace coco::kernels
#endif
