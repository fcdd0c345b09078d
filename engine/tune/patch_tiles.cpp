#include "tune/patch_tiles.h"

#include "tune/patch_kernels.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#define COCO_TILES __attribute__((target("avx512f,amx-tile,amx-bf16")))
#define COCO_TILES_INLINE COCO_TILES inline __attribute__((always_inline))
// The intrinsics do not tell the compiler that they read memory.
#define COCO_MEMORY_BARRIER() __asm__ volatile("" ::: "memory")

namespace coco::tune {
namespace {

constexpr int kRows = 16;               // of a tile, at most
constexpr int kTileWords = kRows * 16;  // 32 bits: an f32 or two bfloat16
constexpr int64_t kRowBytes = 64;
constexpr int kMargin = 16;  // words left and right of a row: one is read

bool tiles_granted() {
  // Numbers of <asm/prctl.h> and of the processor's state components, not in the headers of Debian 12.
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned kBfloat16 = 1U << 22, kTile = 1U << 24;
  return __builtin_cpu_supports("avx512f") != 0 && (d & kBfloat16) != 0 && (d & kTile) != 0 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct TileShape {
  int rows, words;
};

/// Of tiles 0 to 7.
COCO_TILES_INLINE void configure(const TileShape (&shapes)[8]) {
  struct {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t bytes_per_row[16] = {};
    uint8_t rows[16] = {};
  } config;
  static_assert(sizeof config == 64);
  for (int t = 0; t < 8; ++t) {
    config.bytes_per_row[t] = static_cast<uint16_t>(shapes[t].words * 4);
    config.rows[t] = static_cast<uint8_t>(shapes[t].rows);
  }
  COCO_MEMORY_BARRIER();
  _tile_loadconfig(&config);
}

/// The nearest bfloat16, in the upper half.
COCO_TILES_INLINE __m512i round_bfloat16(__m512 v) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  return _mm512_and_si512(rounded, _mm512_set1_epi32(static_cast<int>(0xffff0000U)));
}

struct Split {
  __m512i high, low;
};

COCO_TILES_INLINE Split split(__m512 v) {
  const __m512i high = round_bfloat16(v);
  return {high, round_bfloat16(_mm512_sub_ps(v, _mm512_castsi512_ps(high)))};
}

COCO_TILES_INLINE __m512i pair(__m512i first, __m512i second) {
  return _mm512_or_si512(_mm512_srli_epi32(first, 16), second);
}

COCO_TILES_INLINE void store_halves(__m512i v, uint16_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(_mm512_srli_epi32(v, 16)));
}

/// How the inputs of a convolution are laid along the depth of tiles. Up to 16: the high parts of all pairs of
/// channels, then the low ones, make one tile, which meets the weights' high parts, twice, and then their low parts and
/// zeros. More: sixteen pairs a tile, high parts and low ones apart; high weights meet both, low weights the high
/// parts.
struct Depth {
  explicit Depth(int channels_in)
      : pairs(channels_in / 2),
        rows(std::min(kRows, 2 * pairs)),
        chunks((pairs + kRows - 1) / kRows),
        apart(pairs >= kRows) {}
  int64_t tiles() const { return int64_t{chunks} * 9 * 2; }  // of one tile of outputs
  /// What row `row` of a tile of weights multiplies: a pair of channels, or -1: nothing.
  int pair_of(int chunk, int row, bool low_weight) const {
    const int pair = apart ? chunk * kRows + row : row;
    if (!apart && !low_weight) return pair % pairs;
    return pair < pairs ? pair : -1;
  }
  int pairs, rows, chunks;
  bool apart;
};

int tiles_of(int channels) { return (channels + kRows - 1) / kRows; }

/// Memory of one layout, 0 wherever no one has written, for a few layouts.
template <typename T>
class Scratch {
 public:
  T* get(int64_t layout, size_t count) {
    for (size_t i = 0; i < kept_.size(); ++i) {
      if (kept_[i].layout == layout && kept_[i].memory.size() == count) return kept_[i].memory.data();
    }
    if (kept_.size() == kLayouts) kept_.erase(kept_.begin());
    kept_.push_back({layout, AlignedVector<T>(count)});
    return kept_.back().memory.data();
  }

 private:
  static constexpr size_t kLayouts = 4;
  struct Kept {
    int64_t layout;
    AlignedVector<T> memory;
  };
  std::vector<Kept> kept_;
};

/// Two channels a word, high parts then low ones, with a border of zeros; row by row all planes, so that what a tile
/// and its neighbours read stays in the first-level cache.
struct PairPlanes {
  PairPlanes(int size, int pairs)
      : plane(size + 2 * kMargin),
        stride(plane * 2 * pairs),
        origin(stride + kMargin),
        words(stride * (size + 2) + kRows * plane) {}  // a tile may reach beyond the last plane, with weights of 0
  int64_t plane, stride, origin, words;
};

COCO_TILES void fill_pairs(const PlaneGrid& grid, const float* in, const Depth& depth, const PairPlanes& to,
                           uint32_t* words) {
  for (int p = 0; p < depth.pairs; ++p) {
    for (int y = 0; y < grid.size; ++y) {
      const float* a = in + 2 * p * grid.plane + y * grid.stride;
      uint32_t* high = words + p * to.plane + to.origin + y * to.stride;
      uint32_t* low = high + depth.pairs * to.plane;
      for (int x = 0; x < grid.size; x += 16) {
        const Split first = split(_mm512_loadu_ps(a + x)), second = split(_mm512_loadu_ps(a + grid.plane + x));
        _mm512_storeu_si512(high + x, pair(first.high, second.high));
        _mm512_storeu_si512(low + x, pair(first.low, second.low));
      }
    }
  }
}

struct ConvStep {
  const Depth& depth;
  const PairPlanes& planes;
  const uint32_t* tiles;  ///< of the first of the tiles of outputs
  const float* bias;      ///< tiles of f32, a channel a row
};

/// Loads kN tiles of 16 pixels and adds their products with the kM tiles of weights.
template <int kM, int kN>
COCO_TILES_INLINE void load_inputs(const uint32_t* x, int64_t rows) {
  if constexpr (kM == 2) {
    _tile_loadd(6, x, rows);
    if constexpr (kN == 2) _tile_loadd(7, x + 16, rows);
  } else {
    _tile_loadd(5, x, rows);
    if constexpr (kN > 1) _tile_loadd(6, x + 16, rows);
    if constexpr (kN > 2) _tile_loadd(7, x + 32, rows);
  }
}

template <int kM, int kN>
COCO_TILES_INLINE void add_products() {
  if constexpr (kM == 2) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if constexpr (kN == 2) {
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(3, 5, 7);
    }
  } else {
    _tile_dpbf16ps(0, 4, 5);
    if constexpr (kN > 1) _tile_dpbf16ps(1, 4, 6);
    if constexpr (kN > 2) _tile_dpbf16ps(2, 4, 7);
  }
}

template <int kM>
COCO_TILES_INLINE void load_weights(const uint32_t* w, int64_t next) {
  _tile_loadd(4, w, kRowBytes);
  if constexpr (kM == 2) _tile_loadd(5, w + next, kRowBytes);
}

/// kM tiles of outputs by kN x 16 pixels.
template <int kM, int kN, bool kApart>
COCO_TILES_INLINE void conv_block(const ConvStep& step, const uint32_t* words, float* out, int64_t out_plane) {
  static_assert((kM == 2 && kN <= 2) || (kM == 1 && kN <= 3));
  const int64_t next = step.depth.tiles() * kTileWords, rows = step.planes.plane * 4;
  _tile_loadd(0, step.bias, kRowBytes);
  if constexpr (kN > 1) _tile_loadd(1, step.bias, kRowBytes);
  if constexpr (kM == 2 || kN > 2) _tile_loadd(2, step.bias + (kM == 2 ? kTileWords : 0), kRowBytes);
  if constexpr (kM == 2 && kN == 2) _tile_loadd(3, step.bias + kTileWords, kRowBytes);
  const uint32_t* w = step.tiles;
  for (int chunk = 0; chunk < step.depth.chunks; ++chunk) {
    const uint32_t* plane = words + chunk * kRows * step.planes.plane;
    for (int ky = -1; ky <= 1; ++ky) {
      for (int kx = -1; kx <= 1; ++kx, w += 2 * kTileWords) {
        const uint32_t* x = plane + ky * step.planes.stride + kx;
        load_weights<kM>(w, next);
        if constexpr (kApart) {
          load_inputs<kM, kN>(x + step.depth.pairs * step.planes.plane, rows);
          add_products<kM, kN>();
        }
        load_inputs<kM, kN>(x, rows);
        add_products<kM, kN>();
        load_weights<kM>(w + kTileWords, next);
        add_products<kM, kN>();
      }
    }
  }
  const int64_t to = out_plane * 4;
  _tile_stored(0, out, to);
  if constexpr (kN > 1) _tile_stored(1, out + 16, to);
  if constexpr (kM == 2) _tile_stored(2, out + kRows * out_plane, to);
  if constexpr (kM == 1 && kN > 2) _tile_stored(2, out + 32, to);
  if constexpr (kM == 2 && kN == 2) _tile_stored(3, out + kRows * out_plane + 16, to);
}

/// kM tiles of outputs, the whole patch.
template <int kM, bool kApart>
COCO_TILES void conv_outputs(const PlaneGrid& grid, const ConvStep& step, int channels, const uint32_t* words,
                             float* out) {
  const int rows = std::min(channels, kRows), depth = step.depth.rows;
  const TileShape sum{rows, 16}, weight{rows, depth}, input{depth, 16};
  configure({sum, sum, sum, sum, weight, kM == 2 ? weight : input, input, input});
  constexpr int kN = kM == 2 ? 2 : 3;
  for (int y = 0; y < grid.size; ++y) {
    const uint32_t* row = words + step.planes.origin + y * step.planes.stride;
    float* to = out + y * grid.stride;
    int x = 0;
    for (; x + kN * 16 <= grid.size; x += kN * 16) conv_block<kM, kN, kApart>(step, row + x, to + x, grid.plane);
    for (; x < grid.size; x += 16) conv_block<kM, 1, kApart>(step, row + x, to + x, grid.plane);
  }
  _tile_release();
}

/// Rows and columns of a patch one after the other, two zeros behind each row: a shift by a tap is one by an offset, so
/// that sums over all pixels run through without regard to rows.
struct FlatPatch {
  explicit FlatPatch(int size)
      : pitch(size + 2), lead((pitch + 1 + 31) / 32 * 32), pixels((int64_t{size} * pitch + 31) / 32 * 32) {
    plane = lead + pixels + lead;
  }
  int64_t pitch, lead, pixels, plane = 0;
};

/// halves: the high parts of all channels, then the low ones.
COCO_TILES void fill_flat(const PlaneGrid& grid, const float* in, int channels, const FlatPatch& flat,
                          uint16_t* halves) {
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < grid.size; ++y) {
      const float* from = in + c * grid.plane + y * grid.stride;
      uint16_t* high = halves + c * flat.plane + flat.lead + y * flat.pitch;
      uint16_t* low = high + channels * flat.plane;
      for (int x = 0; x < grid.size; x += 16) {
        const Split s = split(_mm512_loadu_ps(from + x));
        store_halves(s.high, high + x);
        store_halves(s.low, low + x);
      }
    }
  }
}

/// One of four steps of exchanging rows and columns: blocks of kBlock that stand across the diagonal change places.
template <int kBlock>
COCO_TILES_INLINE void exchange_blocks(__m512 (&rows)[16]) {
  alignas(64) int first[16], second[16];
  for (int l = 0; l < 16; ++l) {
    const bool own = (l & kBlock) == 0;
    first[l] = own ? l : 16 + l - kBlock;
    second[l] = own ? l + kBlock : 16 + l;
  }
  const __m512i a = _mm512_load_si512(first), b = _mm512_load_si512(second);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if ((i & kBlock) != 0) continue;
    const __m512 upper = rows[i], lower = rows[i + kBlock];
    rows[i] = _mm512_permutex2var_ps(upper, a, lower);
    rows[i + kBlock] = _mm512_permutex2var_ps(upper, b, lower);
  }
}

/// Sixteen channels (fewer: the rest 0) as [pixels / 2][16] words of two neighbouring pixels, high parts then low ones.
COCO_TILES void fill_pixel_pairs(const PlaneGrid& grid, const float* gradient, int channels, const FlatPatch& flat,
                                 uint32_t* words) {
  for (int y = 0; y < grid.size; ++y) {
    for (int x = 0; x < grid.size; x += 16) {
      __m512 rows[16];
#pragma GCC unroll 16
      for (int c = 0; c < 16; ++c) {
        rows[c] = c < channels ? _mm512_loadu_ps(gradient + c * grid.plane + y * grid.stride + x) : _mm512_setzero_ps();
      }
      exchange_blocks<1>(rows);
      exchange_blocks<2>(rows);
      exchange_blocks<4>(rows);
      exchange_blocks<8>(rows);
      uint32_t* high = words + (y * flat.pitch + x) / 2 * 16;
      uint32_t* low = high + flat.pixels / 2 * 16;
#pragma GCC unroll 8
      for (int p = 0; p < 8; ++p) {
        const Split first = split(rows[2 * p]), second = split(rows[2 * p + 1]);
        _mm512_store_si512(high + p * 16, pair(first.high, second.high));
        _mm512_store_si512(low + p * 16, pair(first.low, second.low));
      }
    }
  }
}

/// Two operands of sums over all pixels: one tile of inputs at one tap, as halves, and one tile of gradients, as words.
struct ShiftedInput {
  const uint16_t *high, *low;
};
struct PixelPairs {
  const uint32_t *high, *low;
};

template <int kM>
COCO_TILES_INLINE void load_shifted(const uint16_t* const (&inputs)[kM], int64_t pixel, int64_t rows) {
  _tile_loadd(4, inputs[0] + pixel, rows);
  if constexpr (kM > 1) _tile_loadd(5, inputs[1] + pixel, rows);
  if constexpr (kM > 2) _tile_loadd(6, inputs[2] + pixel, rows);
}

template <int kN>
COCO_TILES_INLINE void load_pixel_pairs(const uint32_t* const (&gradients)[kN], int64_t pixel) {
  _tile_loadd(7, gradients[0] + pixel * 8, kRowBytes);
  if constexpr (kN > 1) _tile_loadd(6, gradients[1] + pixel * 8, kRowBytes);
}

template <int kM, int kN>
COCO_TILES_INLINE void add_pixel_products() {
  _tile_dpbf16ps(0, 4, 7);
  if constexpr (kM > 1) _tile_dpbf16ps(1, 5, 7);
  if constexpr (kN == 2) _tile_dpbf16ps(2, 4, 6);
  if constexpr (kN == 2 && kM > 1) _tile_dpbf16ps(3, 5, 6);
  if constexpr (kN == 1 && kM > 2) _tile_dpbf16ps(2, 6, 7);
}

/// Sums over all pixels of inputs[m] x gradients[n], kM x kN tiles, to sums[m][n].
template <int kM, int kN>
COCO_TILES_INLINE void gradient_block(const FlatPatch& flat, const ShiftedInput* inputs, const PixelPairs* gradients,
                                      float* sums) {
  static_assert((kN == 2 && kM <= 2) || (kN == 1 && kM <= 3));
  const uint16_t *high[kM], *low[kM];
  const uint32_t *gradient_high[kN], *gradient_low[kN];
  for (int m = 0; m < kM; ++m) {
    high[m] = inputs[m].high;
    low[m] = inputs[m].low;
  }
  for (int n = 0; n < kN; ++n) {
    gradient_high[n] = gradients[n].high;
    gradient_low[n] = gradients[n].low;
  }
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t pixel = 0; pixel < flat.pixels; pixel += 32) {
    load_pixel_pairs(gradient_high, pixel);
    load_shifted(low, pixel, flat.plane * 2);
    add_pixel_products<kM, kN>();
    load_shifted(high, pixel, flat.plane * 2);
    add_pixel_products<kM, kN>();
    load_pixel_pairs(gradient_low, pixel);
    add_pixel_products<kM, kN>();
  }
  const auto at = [sums](int m, int n) { return sums + (m * kN + n) * kTileWords; };
  _tile_stored(0, at(0, 0), kRowBytes);
  if constexpr (kM > 1) _tile_stored(1, at(1, 0), kRowBytes);
  if constexpr (kN == 2) _tile_stored(2, at(0, 1), kRowBytes);
  if constexpr (kN == 2 && kM > 1) _tile_stored(3, at(1, 1), kRowBytes);
  if constexpr (kN == 1 && kM > 2) _tile_stored(2, at(2, 0), kRowBytes);
}

struct Shifted {
  ShiftedInput input;
  int first_input, tap;
};

/// All inputs at all taps against kN tiles of outputs, of which the first output is `first`.
template <int kN>
COCO_TILES void gradient_outputs(const FlatPatch& flat, const std::vector<Shifted>& inputs, int channels_in,
                                 const PixelPairs* gradients, int first, int channels_out, float* d_weight) {
  constexpr int kM = kN == 2 ? 2 : 3;
  const int rows = std::min(channels_in, kRows), columns = std::min(channels_out, kRows);
  const TileShape sum{rows, columns}, input{rows, 16}, gradient{16, columns};
  configure({sum, sum, sum, sum, input, input, kN == 2 ? gradient : input, gradient});
  alignas(64) float sums[4 * kTileWords];
  for (size_t k = 0; k < inputs.size();) {
    const int count = inputs.size() - k >= kM ? kM : 1;
    ShiftedInput operands[kM];
    for (int m = 0; m < count; ++m) operands[m] = inputs[k + static_cast<size_t>(m)].input;
    (count == kM ? gradient_block<kM, kN> : gradient_block<1, kN>)(flat, operands, gradients, sums);
    for (int m = 0; m < count; ++m, ++k) {
      for (int n = 0; n < kN; ++n) {
        for (int i = 0; i < rows; ++i) {
          float* to = d_weight + (int64_t{first + n * kRows} * channels_in + inputs[k].first_input + i) * 9;
          for (int o = 0; o < columns; ++o) {
            to[int64_t{o} * channels_in * 9 + inputs[k].tap] += sums[(m * kN + n) * kTileWords + i * kRows + o];
          }
        }
      }
    }
  }
  _tile_release();
}

bool channels_fit(int channels) { return channels % 4 == 0 && (channels <= kRows || channels % kRows == 0); }

}  // namespace

bool tiles_serve(int size, int channels_in, int channels_out) {
  static const bool granted = tiles_granted();
  return granted && size % 16 == 0 && channels_fit(channels_in) && channels_fit(channels_out);
}

void tile_weights(const float* weight, int channels_in, int channels_out, AlignedVector<uint32_t>& tiles) {
  const Depth depth(channels_in);
  tiles.assign(static_cast<size_t>(tiles_of(channels_out) * depth.tiles() * kTileWords), 0);
  const auto half = [](float v, bool low) {
    const auto bits_of = [](float f) {
      uint32_t bits = 0;
      std::memcpy(&bits, &f, sizeof bits);
      return (bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U;
    };
    const uint32_t high = bits_of(v);
    float back = 0;
    std::memcpy(&back, &high, sizeof back);
    return (low ? bits_of(v - back) : high) >> 16;
  };
  // [tile of outputs][chunk][tap][high, low][output][row of the depth]
  for (int o = 0; o < channels_out; ++o) {
    for (int part = 0; part < depth.chunks * 2; ++part) {
      const int chunk = part / 2;
      const bool low = part % 2 == 1;
      for (int k = 0; k < depth.rows; ++k) {
        const int pair = depth.pair_of(chunk, k, low);
        if (pair < 0) continue;
        const float* w = weight + (int64_t{o} * channels_in + 2 * pair) * 9;
        for (int tap = 0; tap < 9; ++tap) {
          const int64_t tile = o / kRows * depth.tiles() + (chunk * 9 + tap) * 2 + (low ? 1 : 0);
          tiles[static_cast<size_t>(tile * kTileWords + o % kRows * 16 + k)] = half(w[tap], low) | half(w[9 + tap], low)
                                                                                                       << 16;
        }
      }
    }
  }
}

void tile_conv3x3(const PlaneGrid& grid, const float* in, int channels_in, const uint32_t* tiles, const float* bias,
                  float* out, int channels_out) {
  static thread_local Scratch<uint32_t> scratch;
  const Depth depth(channels_in);
  const PairPlanes planes(grid.size, depth.pairs);
  uint32_t* words = scratch.get(planes.stride, static_cast<size_t>(planes.words));
  fill_pairs(grid, in, depth, planes, words);
  for (int tile = 0; tile < tiles_of(channels_out);) {
    const int together = std::min(2, tiles_of(channels_out) - tile), first = tile * kRows;
    alignas(64) float start[2 * kTileWords];
    for (int i = 0; i < 2 * kTileWords; ++i) {
      const int o = first + i / 16;
      start[i] = bias != nullptr && o < channels_out ? bias[o] : 0.f;
    }
    const ConvStep step{depth, planes, tiles + tile * depth.tiles() * kTileWords, start};
    const auto run = together == 2 ? (depth.apart ? conv_outputs<2, true> : conv_outputs<2, false>)
                                   : (depth.apart ? conv_outputs<1, true> : conv_outputs<1, false>);
    run(grid, step, channels_out, words, out + first * grid.plane);
    tile += together;
  }
}

void tile_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in, const float* gradient,
                          int channels_out, float* d_weight) {
  static thread_local Scratch<uint16_t> input_scratch;
  static thread_local Scratch<uint32_t> gradient_scratch;
  const FlatPatch flat(grid.size);
  uint16_t* halves = input_scratch.get(grid.size, static_cast<size_t>(2 * channels_in * flat.plane));
  fill_flat(grid, in, channels_in, flat, halves);
  std::vector<Shifted> inputs;
  for (int i = 0; i < channels_in; i += kRows) {
    for (int tap = 0; tap < 9; ++tap) {
      const uint16_t* high = halves + i * flat.plane + flat.lead + (tap / 3 - 1) * flat.pitch + tap % 3 - 1;
      inputs.push_back({{high, high + channels_in * flat.plane}, i, tap});
    }
  }
  const auto part = static_cast<size_t>(flat.pixels / 2 * 16);
  const auto tiles = static_cast<size_t>(tiles_of(channels_out));
  uint32_t* words = gradient_scratch.get(grid.size, tiles * 2 * part);
  std::vector<PixelPairs> gradients;
  for (size_t t = 0; t < tiles; ++t) {
    const int first = static_cast<int>(t) * kRows;
    fill_pixel_pairs(grid, gradient + first * grid.plane, std::min(kRows, channels_out - first), flat,
                     words + t * 2 * part);
    gradients.push_back({words + t * 2 * part, words + (t * 2 + 1) * part});
  }
  COCO_MEMORY_BARRIER();
  for (size_t t = 0; t < tiles;) {
    const bool two = tiles - t >= 2;
    (two ? gradient_outputs<2> : gradient_outputs<1>)(flat, inputs, channels_in, gradients.data() + t,
                                                      static_cast<int>(t) * kRows, channels_out, d_weight);
    t += two ? 2 : 1;
  }
}

}  // namespace coco::tune

#else

namespace coco::tune {

bool tiles_serve(int, int, int) { return false; }
void tile_weights(const float*, int, int, AlignedVector<uint32_t>&) {}
void tile_conv3x3(const PlaneGrid&, const float*, int, const uint32_t*, const float*, float*, int) {}
void tile_weight_gradient(const PlaneGrid&, const float*, int, const float*, int, float*) {}

}  // namespace coco::tune

#endif
