#include <algorithm>

#include "kernels/conv/conv_pair.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv_pair_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What stays the same along a span for one tile of channels.
struct PairTile {
  const ConvPairArgs* pair;
  const float* packed;   // weights of the tile
  const float* planes;   // transformed rows of its group's first input channel, [row][channel] a plane
  ptrdiff_t pitch;       // floats between planes
  ptrdiff_t row_planes;  // floats between transformed rows
  int channel;           // its first output channel
  int in_per_group;
  float slope[8];
};

// acc += transformed row `row` * its weights, at column x of the span.
template <int kOc, int kVec>
HWY_INLINE void Products(const PairTile& t, int row, ptrdiff_t x, V (&acc)[kOc][kVec]) {
  const ConvRowWeights& w = *t.pair->weights;
  KernelRow<kOc, kVec, kPairWidth>(w, t.in_per_group, t.planes + row * t.row_planes + x, t.pitch,
                                   t.packed + ptrdiff_t(row) * t.in_per_group * kPairWidth * kOc, acc);
}

template <int kOc, int kVec>
HWY_INLINE void StoreTile(const PairTile& t, float* row, ptrdiff_t x, const V (&acc)[kOc][kVec]) {
  const D d;
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    float* out = row + (t.channel + o) * t.pair->out_channel_stride + x;
    const V slope = hn::Set(d, t.slope[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) hn::StoreU(Activate(*t.pair->weights, slope, acc[o][v]), d, out + v * hn::Lanes(d));
  }
}

// kOc channels x kVec vectors of two rows. x: column of the span; first: the span's first output.
template <int kOc, int kVec>
HWY_INLINE void PairBlock(const PairTile& t, ptrdiff_t first, ptrdiff_t x) {
  const D d;
  const float* bias = t.pair->weights->bias.data() + t.channel;
  V acc[kOc][kVec], kept[kOc][kVec];
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) acc[o][v] = hn::Set(d, bias[o]);
  }
  Products(t, 1, x, acc);
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) kept[o][v] = acc[o][v], acc[o][v] = hn::Zero(d);
  }
  Products(t, 2, x, acc);
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) {
      const V m1 = kept[o][v], m2 = acc[o][v];
      acc[o][v] = hn::Add(m1, m2), kept[o][v] = hn::Sub(m1, m2);
    }
  }
  Products(t, 0, x, acc);
  StoreTile(t, t.pair->out[0], first + x, acc);
  Products(t, 3, x, kept);
  StoreTile(t, t.pair->out[1], first + x, kept);
}

// One tile along a span of `width` outputs.
template <int kOc>
HWY_NOINLINE void PairTileSpan(const PairTile& t, ptrdiff_t first, ptrdiff_t width) {
  const ptrdiff_t lanes = hn::Lanes(D());
  ptrdiff_t x = 0;
  for (; width - x > (kVectors - 1) * lanes; x += kVectors * lanes) PairBlock<kOc, kVectors>(t, first, x);
  if (kVectors > 2 && width - x > lanes) {
    PairBlock<kOc, 2>(t, first, x);
    x += 2 * lanes;
  }
  if (width > x) PairBlock<kOc, 1>(t, first, x);
}

using PairTileSpanFn = void (*)(const PairTile&, ptrdiff_t, ptrdiff_t);

PairTileSpanFn PairTileSpanFor(int tile) {
  switch (tile) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
    case 8:
      return PairTileSpan<8>;
#endif
    case 4:
      return PairTileSpan<4>;
    case 2:
      return PairTileSpan<2>;
    default:
      return PairTileSpan<1>;
  }
}

// d0 - d2, d1 + d2, d2 - d1, d3 - d1 of every input channel, `count` columns from `first` on.
HWY_NOINLINE void Transform(const ConvPairArgs& args, ptrdiff_t first, ptrdiff_t count, ptrdiff_t pitch) {
  const D d;
  const ptrdiff_t lanes = hn::Lanes(d);
  const int channels = args.weights->in_channels;
  const ptrdiff_t row_planes = channels * pitch;
  float* zeros = args.scratch + kPairRows * row_planes;
  const float* rows[kPairRows];
  ptrdiff_t stride[kPairRows];
  for (int r = 0; r < kPairRows; ++r) {
    const bool inside = args.rows[r] != nullptr;
    if (!inside) std::fill_n(zeros, pitch, 0.0f);
    rows[r] = inside ? args.rows[r] + first : zeros;
    stride[r] = inside ? args.in_channel_stride : 0;
  }
  for (int c = 0; c < channels; ++c) {
    float* out = args.scratch + c * pitch;
    for (ptrdiff_t x = 0; x < count; x += lanes) {
      const V d0 = hn::LoadU(d, rows[0] + c * stride[0] + x), d1 = hn::LoadU(d, rows[1] + c * stride[1] + x);
      const V d2 = hn::LoadU(d, rows[2] + c * stride[2] + x), d3 = hn::LoadU(d, rows[3] + c * stride[3] + x);
      hn::Store(hn::Sub(d0, d2), d, out + x);
      hn::Store(hn::Add(d1, d2), d, out + row_planes + x);
      hn::Store(hn::Sub(d2, d1), d, out + 2 * row_planes + x);
      hn::Store(hn::Sub(d3, d1), d, out + 3 * row_planes + x);
    }
  }
}

void ConvPair(const ConvPairArgs& args) {
  const ConvRowWeights& w = *args.weights;
  const int per_group = w.out_channels / w.groups;
  const int in_per_group = w.in_channels / w.groups;
  const ptrdiff_t tile_floats = ptrdiff_t(in_per_group) * kPairRows * kPairWidth;
  const PairSpan span = pair_span(w);
  const ptrdiff_t reach = ptrdiff_t(kPairWidth - 1) * w.dilation_x;
  for (ptrdiff_t x = 0; x < args.width; x += span.width) {
    const ptrdiff_t width = std::min<ptrdiff_t>(args.width - x, span.width);
    Transform(args, x, width + reach, span.pitch);
    for (int group = 0; group < w.groups; ++group)
      for (int first = 0; first < per_group;) {
        const int tile = conv_tile(w.oc_tile, per_group - first);
        PairTile t;
        t.pair = &args;
        t.channel = group * per_group + first;
        t.packed = w.packed.data() + t.channel * tile_floats;
        t.pitch = span.pitch;
        t.row_planes = w.in_channels * span.pitch;
        t.planes = args.scratch + group * in_per_group * span.pitch;
        t.in_per_group = in_per_group;
        FillSlopes(w, t.channel, tile, t.slope);
        PairTileSpanFor(tile)(t, x, width);
        first += tile;
      }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(ConvPair);
void conv_pair_hwy(const ConvPairArgs& args) { HWY_DYNAMIC_DISPATCH(ConvPair)(args); }
}  // namespace coco::kernels
#endif
