#include <algorithm>

#include "kernels/conv/conv_row.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv_row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What stays the same along a row for one tile of channels.
struct TileArgs {
  const ConvRowArgs* row;
  const float* packed;  // weights of the tile
  int channel;          // its first output channel
  int first_in;         // first input channel of its group
  int in_per_group;
  float slope[8];
};

// kOc channels x kVec vectors of outputs at output x. kW: kernel width when known, 0 otherwise.
template <int kOc, int kVec, int kW>
HWY_INLINE void Block(const TileArgs& t, ptrdiff_t x) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const ConvRowArgs& args = *t.row;
  const ConvRowWeights& w = *args.weights;
  const int kernel_w = kW ? kW : w.kernel_w;
  V acc[kOc][kVec];
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const V bias = hn::Set(d, w.bias[t.channel + o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) acc[o][v] = bias;
  }
  for (int r = 0; r < args.row_count; ++r) {
    const float* in = args.rows[r] + t.first_in * args.in_channel_stride + x;
    const float* k = t.packed + ptrdiff_t(args.ky[r]) * t.in_per_group * kernel_w * kOc;
    KernelRow<kOc, kVec, kW>(w, t.in_per_group, in, args.in_channel_stride, k, acc);
  }
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    float* out = args.out + (t.channel + o) * args.out_channel_stride + x;
    const V slope = hn::Set(d, t.slope[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) hn::StoreU(Activate(w, slope, acc[o][v]), d, out + v * lanes);
  }
}

// One tile along [begin, end): whole vectors, as many at a time as the registers hold.
template <int kOc, int kW>
HWY_NOINLINE void TileSpan(const TileArgs& t, ptrdiff_t begin, ptrdiff_t end) {
  const ptrdiff_t lanes = hn::Lanes(D());
  ptrdiff_t x = begin;
  for (; end - x > (kVectors - 1) * lanes; x += kVectors * lanes) Block<kOc, kVectors, kW>(t, x);
  if (kVectors > 2 && end - x > lanes) {
    Block<kOc, 2, kW>(t, x);
    x += 2 * lanes;
  }
  if (end > x) Block<kOc, 1, kW>(t, x);
}

using TileSpanFn = void (*)(const TileArgs&, ptrdiff_t, ptrdiff_t);

template <int kW>
TileSpanFn TileSpanFor(int tile) {
  switch (tile) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
    case 8:
      return TileSpan<8, kW>;
#endif
    case 4:
      return TileSpan<4, kW>;
    case 2:
      return TileSpan<2, kW>;
    default:
      return TileSpan<1, kW>;
  }
}

void ConvRow(const ConvRowArgs& args) {
  const ConvRowWeights& w = *args.weights;
  const int per_group = w.out_channels / w.groups;
  const int in_per_group = w.in_channels / w.groups;
  const ptrdiff_t tile_floats = ptrdiff_t(in_per_group) * w.kernel_h * w.kernel_w;
  // A span short enough that the input of all its taps stays in the first-level cache while every tile reads it.
  const ptrdiff_t block = kVectors * ptrdiff_t(hn::Lanes(D()));
  const ptrdiff_t floats_per_output = std::max<ptrdiff_t>(1, ptrdiff_t(in_per_group) * args.row_count);
  const ptrdiff_t span = block * std::clamp<ptrdiff_t>(4096 / (floats_per_output * block), 1, 64);
  for (ptrdiff_t x = 0; x < args.width; x += span) {
    const ptrdiff_t end = std::min<ptrdiff_t>(args.width, x + span);
    for (int group = 0; group < w.groups; ++group)
      for (int first = 0; first < per_group;) {
        const int tile = conv_tile(w.oc_tile, per_group - first);
        TileArgs t;
        t.row = &args;
        t.channel = group * per_group + first;
        t.packed = w.packed.data() + t.channel * tile_floats;
        t.first_in = group * in_per_group;
        t.in_per_group = in_per_group;
        FillSlopes(w, t.channel, tile, t.slope);
        (w.kernel_w == 3 ? TileSpanFor<3>(tile) : TileSpanFor<0>(tile))(t, x, end);
        first += tile;
      }
  }
}

int OcTile() { return kOcTile; }

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(ConvRow);
HWY_EXPORT(OcTile);
void conv_row_hwy(const ConvRowArgs& args) { HWY_DYNAMIC_DISPATCH(ConvRow)(args); }
int conv_row_hwy_tile() { return HWY_DYNAMIC_DISPATCH(OcTile)(); }
}  // namespace coco::kernels
#endif
