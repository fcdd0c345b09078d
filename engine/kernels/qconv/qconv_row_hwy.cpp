#include "kernels/qconv/qconv_row.h"

#include <algorithm>

#include "kernels/qconv/targets.h"
#include "kernels/row/row.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/qconv/qconv_row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/qconv/arm-inl.h"
#include "kernels/qconv/dot4-inl.h"
#include "kernels/qconv/requantize-inl.h"
#include "kernels/row/shuffle_store-inl.h"
#include "kernels/sloped-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void QuantConvRow(const QuantConvRowArgs& args) { qconv_row_ref(args); }
int QuantOcTile() { return 4; }
int QuantFineTile() { return 4; }

#else

// Registers decide the tile: its sums, the vectors of input, a weight and products of 16 bits.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kOcTile = 8;
#else
constexpr int kOcTile = 4;
#endif
// Half a tile needs twice the vectors to keep the multipliers busy, for which NEON's instructions by lane lack
// registers.
#if HWY_TARGET <= HWY_AVX3
constexpr int kFineTile = 4;
#else
constexpr int kFineTile = kOcTile;
#endif
#if HWY_TARGET <= HWY_AVX3_DL
constexpr int kVectorsOfTile = 3, kFineVectors = 6;  // one weight more than sums and inputs: 28 and 31 registers
#else
constexpr int kVectorsOfTile = 2, kFineVectors = 4;
#endif
constexpr size_t kMaxPointers = 512;

using DI = hn::ScalableTag<int32_t>;
using VI = hn::Vec<DI>;

// What stays the same along a row for one tile of channels. Blocks work on a copy: nothing they store can alias it.
struct TileArgs {
  const QuantConvRowArgs* row;
  const QuantTile* tile;
  const uint32_t** in;  // word 0 of the entries; where they are more than kMaxPointers, found anew for every block
  const uint32_t *weights, *wide;
  size_t pairs, narrow, count;  // entries up to the end of each part
  const int32_t* bias;
  const float *scale, *negative;
  void* out;  // its first plane
  ptrdiff_t out_plane_stride;
  int channels;
  bool dequantize;
  uint32_t concave;  // QuantTile
  bool linear;
  requantize::Bounds bounds;
};

TileArgs MakeTile(const QuantConvRowArgs& args, const QuantTile& tile, const uint32_t** in,
                  const std::vector<int32_t>& bias) {
  const QuantConvRowWeights& w = *args.weights;
  TileArgs t;
  t.row = &args, t.tile = &tile, t.in = in;
  t.weights = w.weights.data() + tile.weight_begin, t.wide = w.wide.data() + tile.wide_begin;
  t.pairs = 2 * tile.pair_count, t.narrow = tile.entry_count - tile.wide_count, t.count = tile.entry_count;
  t.bias = bias.data() + tile.first, t.scale = w.scale.data() + tile.first, t.negative = w.negative.data() + tile.first;
  t.out = static_cast<uint32_t*>(args.out) + (w.dequantize ? tile.first : tile.first / 4) * args.out_plane_stride;
  t.out_plane_stride = args.out_plane_stride;
  t.channels = tile.channels, t.dequantize = w.dequantize, t.concave = tile.concave, t.linear = w.linear;
  t.bounds = {w.out_zero_point, w.low, w.high};
  return t;
}

HWY_NOINLINE void FindInputs(const QuantConvRowArgs& args, const QuantTile& tile, size_t begin, size_t end,
                             const uint32_t** in) {
  const QuantEntry* entry = args.weights->entries.data() + tile.entry_begin + begin;
  for (size_t e = begin; e < end; ++e, ++entry)
    *in++ = args.rows[entry->row] + entry->plane * args.in_plane_stride + entry->offset;
}

using dot4::Load;
HWY_INLINE VI Broadcast(uint32_t word) { return hn::Set(DI(), static_cast<int32_t>(word)); }

// How a tile of kTileChannels is computed (arm-inl.h has other ways): each word of weights in every lane of a vector.
template <int kTileChannels>
struct Spread {
  static constexpr int kTile = kTileChannels;
  static constexpr int kVectors = kTile < kOcTile ? kFineVectors : kVectorsOfTile;
  static constexpr bool kFlipped = false;

  // One entry of kOc channels times kVec vectors of input.
  template <int kOc, int kVec>
  static HWY_INLINE void Entry(const uint32_t* in, const uint32_t* weights, VI (&acc)[kOc][kVec]) {
    VI input[kVec];
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) input[v] = Load(in + v * hn::Lanes(DI()));
    COCO_UNROLL
    for (int o = 0; o < kOc; ++o) {
      const VI weight = Broadcast(weights[o]);
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) acc[o][v] = dot4::Dot4(acc[o][v], input[v], weight);
    }
  }

  // Entries [in, in_end), computed at output x.
  template <int kOc, int kVec>
  static HWY_INLINE void Run(const uint32_t* const* in, const uint32_t* const* in_end, const uint32_t* weights,
                             ptrdiff_t x, VI (&acc)[kOc][kVec]) {
    for (; in != in_end; ++in, weights += kTile) Entry<kOc, kVec>(*in + x, weights, acc);
  }
};

#if defined(COCO_DOT4_PAIRS)
// Two entries whose products add up in 16 bits: three multiplications instead of four.
template <int kTile, int kOc, int kVec>
HWY_INLINE void Pair(const uint32_t* const* in, ptrdiff_t x, const uint32_t* weights, VI (&acc)[kOc][kVec]) {
  VI a[kVec], b[kVec];
  COCO_UNROLL
  for (int v = 0; v < kVec; ++v) {
    a[v] = Load(in[0] + x + v * hn::Lanes(DI()));
    b[v] = Load(in[1] + x + v * hn::Lanes(DI()));
  }
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const VI wa = Broadcast(weights[o]), wb = Broadcast(weights[kTile + o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v)
      acc[o][v] = hn::Add(acc[o][v], dot4::Widen(dot4::Add16(dot4::Products(a[v], wa), dot4::Products(b[v], wb))));
  }
}

template <int kOc, int kVec>
HWY_INLINE void WideEntry(const uint32_t* in, const uint32_t* weights, VI (&acc)[kOc][kVec]) {
  VI even[kVec], odd[kVec];
  COCO_UNROLL
  for (int v = 0; v < kVec; ++v) {
    const VI input = Load(in + v * hn::Lanes(DI()));
    even[v] = dot4::EvenBytes(input), odd[v] = dot4::OddBytes(input);
  }
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const VI w_even = Broadcast(weights[2 * o]), w_odd = Broadcast(weights[2 * o + 1]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) acc[o][v] = dot4::DotWide(acc[o][v], even[v], odd[v], w_even, w_odd);
  }
}
#endif

// Entries [begin, end), whose inputs t.in has. kMaxPointers is even: no pair is cut.
template <class Way, int kOc, int kVec>
HWY_INLINE void Entries(const TileArgs& t, size_t begin, size_t end, ptrdiff_t x, VI (&acc)[kOc][kVec]) {
  const uint32_t* const* in = t.in;
  const uint32_t* const* in_end = t.in + (end - begin);
  const uint32_t* weights = t.weights + begin * Way::kTile;
#if defined(COCO_DOT4_PAIRS)
  const uint32_t* const* pairs_end = t.in + (std::clamp(t.pairs, begin, end) - begin);
  const uint32_t* const* narrow_end = t.in + (std::clamp(t.narrow, begin, end) - begin);
  constexpr int kTile = Way::kTile;
  for (; in != pairs_end; in += 2, weights += 2 * kTile) Pair<kTile, kOc, kVec>(in, x, weights, acc);
  for (; in != narrow_end; ++in, weights += kTile) Way::template Entry<kOc, kVec>(*in + x, weights, acc);
  const uint32_t* wide = t.wide + (std::max(begin, t.narrow) - t.narrow) * 2 * kTile;
  for (; in != in_end; ++in, wide += 2 * kTile) WideEntry<kOc, kVec>(*in + x, wide, acc);
#else
  Way::template Run<kOc, kVec>(in, in_end, weights, x, acc);
#endif
}

// Channel o of a vector of sums as f32.
HWY_INLINE requantize::VF Float(const TileArgs& t, int o, VI acc) {
  const requantize::DF df;
  const auto scale = hn::Set(df, t.scale[o]);
  if (t.linear) return hn::Mul(hn::ConvertTo(df, acc), scale);
  return requantize::Scaled(acc, scale, hn::Set(df, t.negative[o]));
}

template <int kOc, int kVec>
HWY_INLINE void StoreFloats(const TileArgs& t, ptrdiff_t x, const VI (&acc)[kOc][kVec]) {
  const requantize::DF df;
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    if (o < t.channels) {
      float* out = static_cast<float*>(t.out) + o * t.out_plane_stride + x;
      COCO_UNROLL
      for (int v = 0; v < kVec; ++v) hn::StoreU(Float(t, o, acc[o][v]), df, out + v * hn::Lanes(df));
    }
  }
}

// Whole vectors of the row straight into the caller's samples; what is left of it by way of f32.
template <int kVec>
HWY_INLINE void StoreShuffled(const TileArgs& t, ptrdiff_t x, const VI (&acc)[4][kVec]) {
  const requantize::DF df;
  const QuantShuffledRows& to = *t.row->shuffled;
  const ptrdiff_t lanes = hn::Lanes(df), bytes = ptrdiff_t(byte_size(to.type));
  const auto peak = hn::Set(df, static_cast<float>(max_value(to.type)));
  COCO_UNROLL
  for (int row = 0; row < 2; ++row) {
    const int o = 2 * row;
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) {
      const auto even = Float(t, o, acc[o][v]), odd = Float(t, o + 1, acc[o + 1][v]);
      const ptrdiff_t at = 2 * (x + v * lanes), left = t.row->width - (x + v * lanes);
      uint8_t* samples = static_cast<uint8_t*>(to.samples[row]) + at * bytes;
      if (left >= lanes && to.type != SampleType::kF32) {
        shuffled::StorePairs(to.type, even, odd, to.base[row] + at, peak, samples);
      } else if (left > 0) {
        float rest[2][HWY_LANES(float)];
        hn::StoreU(even, df, rest[0]);
        hn::StoreU(odd, df, rest[1]);
        shuffle_store_row_ref(to.type, rest[0], rest[1], to.base[row] + at, static_cast<int>(std::min(left, lanes)),
                              samples);
      }
    }
  }
}

template <bool kConvex, int kVec>
HWY_INLINE void Requantize(float scale, float negative, VI (&acc)[kVec]) {
  const requantize::DF df;
  const auto above = hn::Set(df, scale), below = hn::Set(df, negative);
  COCO_UNROLL
  for (int v = 0; v < kVec; ++v)
    acc[v] = requantize::Rounded(requantize::ScaledByEnvelope<kConvex>(acc[v], above, below));
}

template <int kOc, int kVec>
HWY_INLINE void StoreWords(const TileArgs& t, ptrdiff_t x, VI (&acc)[kOc][kVec]) {
  const DI di;
  if (t.concave == 0) {
    COCO_UNROLL
    for (int o = 0; o < kOc; ++o) Requantize<true>(t.scale[o], t.negative[o], acc[o]);
  } else {
    COCO_UNROLL
    for (int o = 0; o < kOc; ++o) {
      if ((t.concave >> o & 1) == 0) {
        Requantize<true>(t.scale[o], t.negative[o], acc[o]);
      } else {
        Requantize<false>(t.scale[o], t.negative[o], acc[o]);
      }
    }
  }
  COCO_UNROLL
  for (int plane = 0; plane < kOc / 4; ++plane) {
    int32_t* out = static_cast<int32_t*>(t.out) + plane * t.out_plane_stride + x;
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) {
      const int o = 4 * plane;
      const VI values[4] = {acc[o][v], acc[o + 1][v], acc[o + 2][v], acc[o + 3][v]};
      hn::StoreU(requantize::Words(values, t.bounds), di, out + v * hn::Lanes(di));
    }
  }
}

// kOc channels x kVec vectors of outputs at output x.
template <class Way, int kOc, int kVec>
HWY_INLINE void Block(const TileArgs& t, ptrdiff_t x) {
  VI acc[kOc][kVec];
  COCO_UNROLL
  for (int o = 0; o < kOc; ++o) {
    const VI bias = hn::Set(DI(), t.bias[o]);
    COCO_UNROLL
    for (int v = 0; v < kVec; ++v) acc[o][v] = bias;
  }
  if (t.count <= kMaxPointers) {
    Entries<Way, kOc, kVec>(t, 0, t.count, x, acc);
  } else {
    for (size_t begin = 0; begin < t.count; begin += kMaxPointers) {
      const size_t end = std::min(t.count, begin + kMaxPointers);
      FindInputs(*t.row, *t.tile, begin, end, t.in);
      Entries<Way, kOc, kVec>(t, begin, end, x, acc);
    }
  }
  if constexpr (kOc == 4) {
    if (t.row->shuffled != nullptr) return StoreShuffled<kVec>(t, x, acc);
  }
  if (t.dequantize) {
    StoreFloats<kOc, kVec>(t, x, acc);
  } else {
    StoreWords<kOc, kVec>(t, x, acc);
  }
}

// One tile along [begin, end): whole vectors, as many at a time as the registers hold.
template <class Way, int kOc>
HWY_NOINLINE void TileSpan(const TileArgs& args, ptrdiff_t begin, ptrdiff_t end) {
  const TileArgs t = args;
  const ptrdiff_t lanes = hn::Lanes(DI());
  ptrdiff_t x = begin;
  constexpr int kVec = Way::kVectors;
  for (; end - x > (kVec - 1) * lanes; x += kVec * lanes) Block<Way, kOc, kVec>(t, x);
  if constexpr (kVec > 3) {
    for (; end - x > 2 * lanes; x += 3 * lanes) Block<Way, kOc, 3>(t, x);
  }
  if constexpr (kVec > 2) {
    if (end - x > lanes) {
      Block<Way, kOc, 2>(t, x);
      x += 2 * lanes;
    }
  }
  if (end > x) Block<Way, kOc, 1>(t, x);
}

template <class Way>
void QuantConvRowBy(const QuantConvRowArgs& args) {
  const QuantConvRowWeights& w = *args.weights;
  // A span short enough that the input of all its taps stays in the first-level cache while every tile reads it.
  const ptrdiff_t block = Way::kVectors * ptrdiff_t(hn::Lanes(DI()));
  const ptrdiff_t words_per_output = std::max<ptrdiff_t>(1, ptrdiff_t((w.in_channels + 3) / 4) * w.kernel_h);
  const ptrdiff_t span = block * std::clamp<ptrdiff_t>(4096 / (words_per_output * block), 1, 64);
  const uint32_t* inputs[kMaxPointers];
  for (ptrdiff_t x = 0; x < args.width; x += span) {
    const ptrdiff_t end = std::min<ptrdiff_t>(args.width, x + span);
    for (const QuantTile& tile : w.tiles) {
      const TileArgs t = MakeTile(args, tile, inputs, Way::kFlipped ? w.flipped_bias : w.bias);
      if (tile.entry_count <= kMaxPointers) FindInputs(args, tile, 0, tile.entry_count, inputs);
      if (Way::kTile == 8 && tile.channels > 4) {
        TileSpan<Way, Way::kTile>(t, x, end);
      } else {
        TileSpan<Way, 4>(t, x, end);
      }
    }
  }
}

void QuantConvRow(const QuantConvRowArgs& args) {
#if HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64
  static_assert(kOcTile == arm::kTile);
  if (!args.weights->has_lowest) return QuantConvRowBy<arm::Products>(args);
#endif
  if (kFineTile != kOcTile && args.weights->oc_tile == kFineTile) return QuantConvRowBy<Spread<kFineTile>>(args);
  QuantConvRowBy<Spread<kOcTile>>(args);
}
int QuantOcTile() { return kOcTile; }
int QuantFineTile() { return kFineTile; }

#if HWY_TARGET == HWY_NEON && COCO_NEON_DOTPROD
void QuantConvRowSigned(const QuantConvRowArgs& args) { QuantConvRowBy<arm::ByLane<arm::Signed>>(args); }
#endif
#if HWY_TARGET == HWY_NEON && COCO_NEON_I8MM
void QuantConvRowMixed(const QuantConvRowArgs& args) { QuantConvRowBy<arm::ByLane<arm::Mixed>>(args); }
#endif

#endif

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(QuantConvRow);
HWY_EXPORT(QuantOcTile);
HWY_EXPORT(QuantFineTile);
void qconv_row_hwy(const QuantConvRowArgs& args) { HWY_DYNAMIC_DISPATCH(QuantConvRow)(args); }
int qconv_row_hwy_tile() { return HWY_DYNAMIC_DISPATCH(QuantOcTile)(); }
int qconv_row_hwy_fine_tile() { return HWY_DYNAMIC_DISPATCH(QuantFineTile)(); }
#if COCO_NEON_DOTPROD
void qconv_row_dotprod(const QuantConvRowArgs& args) { N_NEON::QuantConvRowSigned(args); }
#endif
#if COCO_NEON_I8MM
void qconv_row_i8mm(const QuantConvRowArgs& args) { N_NEON::QuantConvRowMixed(args); }
#endif
}  // namespace coco::kernels
#endif
