#include <algorithm>

#include "kernels/conv/conv_row.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv_row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if defined(__clang__)
#define COCO_UNROLL _Pragma("clang loop unroll(full)")
#else
#define COCO_UNROLL _Pragma("GCC unroll 16")
#endif

// Keeps a loaded vector in a register. Left alone, GCC folds the load into each multiply-add that uses it, and the
// row is then bound by its (unaligned) loads: 33 instead of 21 a tap triple.
#if defined(__x86_64__) && !defined(__clang__)
#define COCO_IN_REGISTER(v) __asm__("" : "+v"((v).raw))
#elif defined(__aarch64__) && !defined(__clang__)
#define COCO_IN_REGISTER(v) __asm__("" : "+w"((v).raw))
#else
#define COCO_IN_REGISTER(v) static_cast<void>(v)
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

// The epilogues as the kernel knows them: a slope for negative values (1 where there is no activation), or a clip.
enum class Tail { kSlope, kClip };

// What stays the same along a row for one tile of channels.
struct TileArgs {
  const ConvRowArgs* row;
  const float* packed;  // weights of the tile
  int channel;          // its first output channel
  int first_in;         // first input channel of its group
  int in_per_group;
  float slope[8];
};

// Highway 1.0's IfNegativeThenElse looks at every bit of the mask where there is no blend by sign (before SSE4.1).
HWY_INLINE V Sloped(V v, V slope) {
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, hn::Zero(D())), hn::Mul(v, slope), v);
#else
  return hn::IfNegativeThenElse(v, hn::Mul(v, slope), v);
#endif
}

template <Tail kTail>
HWY_INLINE V Activate(const TileArgs& t, V slope, V v) {
  const D d;
  if constexpr (kTail == Tail::kSlope) return Sloped(v, slope);
  return hn::Min(hn::Max(v, hn::Set(d, t.row->weights->a)), hn::Set(d, t.row->weights->b));
}

#undef COCO_HAS_TAP_4X3
#include "kernels/conv/tap_avx2-inl.h"

// One weight of kOc channels times kVec vectors of input.
template <int kOc, int kVec>
HWY_INLINE void Tap(const float* in, const float* weights, V (&acc)[kOc][kVec]) {
#if defined(COCO_HAS_TAP_4X3)
  if constexpr (kOc == 4 && kVec == 3) return Tap4x3(in, weights, acc);
#endif
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

// kOc channels x kVec vectors of outputs at output x. kW: kernel width when known, 0 otherwise.
template <int kOc, int kVec, int kW, Tail kTail>
HWY_INLINE void Block(const TileArgs& t, ptrdiff_t x) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const ConvRowArgs& args = *t.row;
  const ConvRowWeights& w = *args.weights;
  const int kernel_w = kW ? kW : w.kernel_w;
  const ptrdiff_t dilation = w.dilation_x;
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
    for (int c = 0; c < t.in_per_group; ++c, in += args.in_channel_stride) {
      if constexpr (kW != 0) {
        COCO_UNROLL
        for (int kx = 0; kx < kW; ++kx) Tap<kOc, kVec>(in + kx * dilation, k + kx * kOc, acc);
      } else {
        for (int kx = 0; kx < kernel_w; ++kx) Tap<kOc, kVec>(in + kx * dilation, k + kx * kOc, acc);
      }
      k += kernel_w * kOc;
    }
  }
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    float* out = args.out + (t.channel + o) * args.out_channel_stride + x;
    const V slope = hn::Set(d, t.slope[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) hn::StoreU(Activate<kTail>(t, slope, acc[o][v]), d, out + v * lanes);
  }
}

// One tile along [begin, end): whole vectors, as many at a time as the registers hold.
template <int kOc, int kW, Tail kTail>
HWY_NOINLINE void TileSpan(const TileArgs& t, ptrdiff_t begin, ptrdiff_t end) {
  const ptrdiff_t lanes = hn::Lanes(D());
  ptrdiff_t x = begin;
  for (; end - x > (kVectors - 1) * lanes; x += kVectors * lanes) Block<kOc, kVectors, kW, kTail>(t, x);
  if (kVectors > 2 && end - x > lanes) {
    Block<kOc, 2, kW, kTail>(t, x);
    x += 2 * lanes;
  }
  if (end > x) Block<kOc, 1, kW, kTail>(t, x);
}

using TileSpanFn = void (*)(const TileArgs&, ptrdiff_t, ptrdiff_t);

template <int kW, Tail kTail>
TileSpanFn TileSpanFor(int tile) {
  switch (tile) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
    case 8:
      return TileSpan<8, kW, kTail>;
#endif
    case 4:
      return TileSpan<4, kW, kTail>;
    case 2:
      return TileSpan<2, kW, kTail>;
    default:
      return TileSpan<1, kW, kTail>;
  }
}

TileSpanFn TileSpanFor(const ConvRowWeights& w, int tile) {
  const bool three = w.kernel_w == 3;
  if (w.epilogue == Epilogue::kClip)
    return three ? TileSpanFor<3, Tail::kClip>(tile) : TileSpanFor<0, Tail::kClip>(tile);
  return three ? TileSpanFor<3, Tail::kSlope>(tile) : TileSpanFor<0, Tail::kSlope>(tile);
}

// Slopes of negative values, per channel of the tile; 1 leaves them as they are.
void FillSlopes(const ConvRowWeights& w, int channel, int tile, float* slope) {
  for (int o = 0; o < tile; ++o) {
    slope[o] = w.epilogue == Epilogue::kRelu        ? 0.0f
               : w.epilogue == Epilogue::kLeakyRelu ? w.a
               : w.epilogue == Epilogue::kPrelu     ? w.slope[channel + o]
                                                    : 1.0f;
  }
}

void ConvRow(const ConvRowArgs& args) {
  const ConvRowWeights& w = *args.weights;
  const int per_group = w.out_channels / w.groups;
  const int in_per_group = w.in_channels / w.groups;
  const ptrdiff_t tile_floats = ptrdiff_t(in_per_group) * w.kernel_h * w.kernel_w;
  // A span short enough that the input of all its taps stays in the first-level cache while every tile reads it.
  const ptrdiff_t block = kVectors * ptrdiff_t(hn::Lanes(D()));
  const ptrdiff_t floats_per_output = std::max<ptrdiff_t>(1, ptrdiff_t(w.in_channels) * args.row_count);
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
        TileSpanFor(w, tile)(t, x, end);
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
