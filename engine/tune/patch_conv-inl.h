// Purpose: the two convolution loops of patch_kernels.cpp, which includes this once for each instruction set with
// COCO_TUNE_ISA (a namespace), COCO_TUNE_TARGET (the function attribute, which stays defined), COCO_TUNE_LANES,
// COCO_TUNE_GROUPS (of four output channels a register tile takes), and COCO_TUNE_GRADIENT_CHANNELS x
// COCO_TUNE_GRADIENT_ROWS of the kernel that a tile of the weights' gradient takes. Sizes are multiples of
// COCO_TUNE_LANES. COCO_TUNE_KEEP(v) holds a vector in a register that several instructions read: GCC would load it
// anew for each.

#define COCO_TUNE_INLINE COCO_TUNE_TARGET inline __attribute__((always_inline))

namespace coco::tune {
namespace {
namespace COCO_TUNE_ISA {

constexpr int kLanes = COCO_TUNE_LANES;
constexpr int kGroup = 4;  // output channels whose weights lie side by side
using Vector = float __attribute__((vector_size(4 * COCO_TUNE_LANES)));
using Unaligned = float __attribute__((vector_size(4 * COCO_TUNE_LANES), aligned(4), may_alias));

COCO_TUNE_INLINE void load(const float* p, Vector& v) { v = *reinterpret_cast<const Unaligned*>(p); }
COCO_TUNE_INLINE void store(float* p, const Vector& v) { *reinterpret_cast<Unaligned*>(p) = v; }

/// Half added to half, then neighbour to neighbour.
COCO_TUNE_INLINE float sum_lanes(const Vector& v) {
  float sums[kLanes / 2];
  for (int i = 0; i < kLanes / 2; ++i) sums[i] = v[i] + v[i + kLanes / 2];
  for (int count = kLanes / 4; count > 0; count /= 2) {
    for (int i = 0; i < count; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
  }
  return sums[0];
}

// kGroups x kGroup channels x kCount vectors of one row.
template <int kGroups, int kCount>
COCO_TUNE_INLINE void conv_tile(const PlaneGrid& grid, const float* in, int channels_in, const float* packed,
                                const float* bias, float* out) {
  constexpr int kTile = kGroups * kGroup;
  Vector sum[kTile][kCount];
  for (int o = 0; o < kTile; ++o) {
    for (int v = 0; v < kCount; ++v) sum[o][v] = Vector{} + (bias ? bias[o] : 0.f);
  }
  const int64_t next_group = int64_t{channels_in} * 9 * kGroup;
  for (int c = 0; c < channels_in; ++c) {
    for (int ky = -1; ky <= 1; ++ky) {
      const float* row = in + c * grid.plane + ky * grid.stride;
      for (int kx = -1; kx <= 1; ++kx, packed += kGroup) {
        Vector x[kCount];
        for (int v = 0; v < kCount; ++v) load(row + kx + v * kLanes, x[v]);
        for (int o = 0; o < kTile; ++o) {
          const float weight = packed[o / kGroup * next_group + o % kGroup];
          for (int v = 0; v < kCount; ++v) sum[o][v] += weight * x[v];
        }
      }
    }
  }
  for (int o = 0; o < kTile; ++o) {
    for (int v = 0; v < kCount; ++v) store(out + o * grid.plane + v * kLanes, sum[o][v]);
  }
}

template <int kGroups>
COCO_TUNE_TARGET void conv_channels(const PlaneGrid& grid, const float* in, int channels_in, const float* packed,
                                    const float* bias, float* out) {
  for (int y = 0; y < grid.size; ++y) {
    const float* row = in + y * grid.stride;
    float* to = out + y * grid.stride;
    int x = 0;
    for (; x + 3 * kLanes <= grid.size; x += 3 * kLanes) {
      conv_tile<kGroups, 3>(grid, row + x, channels_in, packed, bias, to + x);
    }
    for (; x < grid.size; x += kLanes) conv_tile<kGroups, 1>(grid, row + x, channels_in, packed, bias, to + x);
  }
}

COCO_TUNE_TARGET void conv3x3(const PlaneGrid& grid, const float* in, int channels_in, const float* packed,
                              const float* bias, float* out, int channels_out) {
  constexpr int kTile = COCO_TUNE_GROUPS * kGroup;
  for (int o = 0; o < channels_out;) {
    const float* weights = packed + static_cast<int64_t>(o) * channels_in * 9;
    const float* tile_bias = bias ? bias + o : nullptr;
    if (channels_out - o >= kTile) {
      conv_channels<COCO_TUNE_GROUPS>(grid, in, channels_in, weights, tile_bias, out + o * grid.plane);
      o += kTile;
    } else {
      conv_channels<1>(grid, in, channels_in, weights, tile_bias, out + o * grid.plane);
      o += kGroup;
    }
  }
}

// Adds to the weights' gradient of kChannels output channels, of kRows rows of the kernel from `ky` on. The planes of
// these channels stay in the first-level cache while the input's pass by.
template <int kChannels, int kRows>
COCO_TUNE_INLINE void weight_tile(const PlaneGrid& grid, const float* in, int ky, const float* gradient,
                                  int64_t next_channel, float* d_weight) {
  Vector sum[kChannels][kRows][3] = {};
  for (int y = 0; y < grid.size; ++y) {
    const float* row = in + (y + ky - 1) * grid.stride;
    const float* from = gradient + y * grid.stride;
    for (int x = 0; x < grid.size; x += kLanes) {
      Vector g[kChannels];
      for (int t = 0; t < kChannels; ++t) load(from + t * grid.plane + x, g[t]);
      for (int r = 0; r < kRows; ++r) {
        for (int k = 0; k < 3; ++k) {
          Vector a;
          load(row + r * grid.stride + x + k - 1, a);
          COCO_TUNE_KEEP(a);
          for (int t = 0; t < kChannels; ++t) sum[t][r][k] += g[t] * a;
        }
      }
    }
  }
  for (int t = 0; t < kChannels; ++t) {
    for (int i = 0; i < 3 * kRows; ++i) d_weight[t * next_channel + ky * 3 + i] += sum_lanes(sum[t][i / 3][i % 3]);
  }
}

COCO_TUNE_TARGET void conv3x3_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in,
                                              const float* gradient, int channels_out, float* d_weight) {
  const int64_t next_channel = int64_t{channels_in} * 9;
  constexpr int kChannels = COCO_TUNE_GRADIENT_CHANNELS, kRows = COCO_TUNE_GRADIENT_ROWS;
  for (int o = 0; o < channels_out; o += kChannels) {
    for (int i = 0; i < channels_in; ++i) {
      for (int ky = 0; ky < 3; ky += kRows) {
        weight_tile<kChannels, kRows>(grid, in + i * grid.plane, ky, gradient + o * grid.plane, next_channel,
                                      d_weight + o * next_channel + int64_t{i} * 9);
      }
    }
  }
}

}  // namespace COCO_TUNE_ISA
}  // namespace
}  // namespace coco::tune

#undef COCO_TUNE_INLINE
#undef COCO_TUNE_ISA
#undef COCO_TUNE_LANES
#undef COCO_TUNE_GROUPS
#undef COCO_TUNE_KEEP
#undef COCO_TUNE_GRADIENT_CHANNELS
#undef COCO_TUNE_GRADIENT_ROWS
