#include "tune/patch_kernels.h"

// Vector extensions of GCC and clang: eight lanes whatever the processor. On x86-64 the kernels are compiled for AVX2
// and FMA and used only where both are there; elsewhere the compiler splits the lanes as it must.
#if defined(__x86_64__)
#define COCO_TUNE_TARGET __attribute__((target("avx2,fma")))
#else
#define COCO_TUNE_TARGET
#endif
#pragma GCC diagnostic ignored "-Wpsabi"

namespace coco::tune {
namespace {

constexpr int kLanes = 8;
constexpr int kTile = 4;  // output channels of one register tile
using Vector = float __attribute__((vector_size(32)));
using Unaligned = float __attribute__((vector_size(32), aligned(4), may_alias));

#define COCO_TUNE_INLINE COCO_TUNE_TARGET inline __attribute__((always_inline))

COCO_TUNE_INLINE void load(const float* p, Vector& v) { v = *reinterpret_cast<const Unaligned*>(p); }
COCO_TUNE_INLINE void store(float* p, const Vector& v) { *reinterpret_cast<Unaligned*>(p) = v; }

COCO_TUNE_INLINE float sum_lanes(const Vector& v) {
  return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

// kTile channels x kCount vectors of one row.
template <int kCount>
COCO_TUNE_INLINE void conv_tile(const PlaneGrid& grid, const float* in, int channels_in, const float* packed,
                                const float* bias, float* out) {
  Vector sum[kTile][kCount];
  for (int o = 0; o < kTile; ++o) {
    for (int v = 0; v < kCount; ++v) sum[o][v] = Vector{} + (bias ? bias[o] : 0.f);
  }
  for (int c = 0; c < channels_in; ++c) {
    for (int ky = -1; ky <= 1; ++ky) {
      const float* row = in + c * grid.plane + ky * grid.stride;
      for (int kx = -1; kx <= 1; ++kx, packed += kTile) {
        Vector x[kCount];
        for (int v = 0; v < kCount; ++v) load(row + kx + v * kLanes, x[v]);
        for (int o = 0; o < kTile; ++o) {
          for (int v = 0; v < kCount; ++v) sum[o][v] += packed[o] * x[v];
        }
      }
    }
  }
  for (int o = 0; o < kTile; ++o) {
    for (int v = 0; v < kCount; ++v) store(out + o * grid.plane + v * kLanes, sum[o][v]);
  }
}

}  // namespace

bool patch_kernels_supported() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

COCO_TUNE_TARGET void conv3x3(const PlaneGrid& grid, const float* in, int channels_in, const float* packed,
                              const float* bias, float* out, int channels_out) {
  for (int o = 0; o < channels_out; o += kTile) {
    const float* weights = packed + static_cast<int64_t>(o) * channels_in * 9;
    const float* tile_bias = bias ? bias + o : nullptr;
    for (int y = 0; y < grid.size; ++y) {
      const float* row = in + y * grid.stride;
      float* to = out + o * grid.plane + y * grid.stride;
      int x = 0;
      for (; x + 3 * kLanes <= grid.size; x += 3 * kLanes) {
        conv_tile<3>(grid, row + x, channels_in, weights, tile_bias, to + x);
      }
      for (; x < grid.size; x += kLanes) conv_tile<1>(grid, row + x, channels_in, weights, tile_bias, to + x);
    }
  }
}

COCO_TUNE_TARGET void conv3x3_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in,
                                              const float* gradient, int channels_out, float* d_weight, float* d_bias) {
  for (int o = 0; o < channels_out; o += kTile) {
    for (int i = 0; i < channels_in; ++i) {
      for (int ky = 0; ky < 3; ++ky) {
        Vector sum[kTile][3] = {};
        for (int y = 0; y < grid.size; ++y) {
          const float* row = in + i * grid.plane + (y + ky - 1) * grid.stride;
          const float* from = gradient + o * grid.plane + y * grid.stride;
          for (int x = 0; x < grid.size; x += kLanes) {
            Vector a[3];
            for (int k = 0; k < 3; ++k) load(row + x + k - 1, a[k]);
            for (int t = 0; t < kTile; ++t) {
              Vector g;
              load(from + t * grid.plane + x, g);
              for (int k = 0; k < 3; ++k) sum[t][k] += g * a[k];
            }
          }
        }
        for (int t = 0; t < kTile; ++t) {
          float* to = d_weight + (static_cast<int64_t>(o + t) * channels_in + i) * 9 + ky * 3;
          for (int k = 0; k < 3; ++k) to[k] += sum_lanes(sum[t][k]);
        }
      }
    }
  }
  for (int o = 0; o < channels_out; ++o) {
    Vector sum = {};
    for (int y = 0; y < grid.size; ++y) {
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector g;
        load(gradient + o * grid.plane + y * grid.stride + x, g);
        sum += g;
      }
    }
    d_bias[o] += sum_lanes(sum);
  }
}

COCO_TUNE_TARGET void prelu(const PlaneGrid& grid, const float* before, const float* slope, int channels,
                            float* after) {
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < grid.size; ++y) {
      const int64_t at = c * grid.plane + y * grid.stride;
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector v;
        load(before + at + x, v);
        store(after + at + x, v > 0.f ? v : slope[c] * v);
      }
    }
  }
}

COCO_TUNE_TARGET void prelu_gradient(const PlaneGrid& grid, const float* before, const float* slope, int channels,
                                     float* gradient, float* d_slope) {
  for (int c = 0; c < channels; ++c) {
    Vector sum = {};
    for (int y = 0; y < grid.size; ++y) {
      const int64_t at = c * grid.plane + y * grid.stride;
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector v, g;
        load(before + at + x, v);
        load(gradient + at + x, g);
        sum += g * (v > 0.f ? Vector{} : v);
        store(gradient + at + x, v > 0.f ? g : slope[c] * g);
      }
    }
    d_slope[c] += sum_lanes(sum);
  }
}

COCO_TUNE_TARGET void requantize(const PlaneGrid& grid, const float* sums, const float* scale, const float* negative,
                                 int channels, float low, float high, float* steps) {
  // Adding and taking off 1.5 * 2^23 leaves the nearest whole number, ties to even.
  constexpr float kRound = 12582912.f;
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < grid.size; ++y) {
      const int64_t at = c * grid.plane + y * grid.stride;
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector v;
        load(sums + at + x, v);
        v = v < 0.f ? v * negative[c] : v * scale[c];
        v = v < low ? Vector{} + low : v;
        v = v > high ? Vector{} + high : v;
        v = v + kRound;
        store(steps + at + x, v - kRound);
      }
    }
  }
}

COCO_TUNE_TARGET void requantize_gradient(const PlaneGrid& grid, const float* sums, const float* scale,
                                          const float* negative, int channels, float low, float high, float* gradient,
                                          float* d_scale, float* d_negative) {
  for (int c = 0; c < channels; ++c) {
    Vector above = {}, below = {};
    for (int y = 0; y < grid.size; ++y) {
      const int64_t at = c * grid.plane + y * grid.stride;
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector v, g;
        load(sums + at + x, v);
        load(gradient + at + x, g);
        const Vector factor = v < 0.f ? Vector{} + negative[c] : Vector{} + scale[c];
        const Vector s = v * factor;
        g = s < low ? Vector{} : g;
        g = s > high ? Vector{} : g;
        const Vector product = g * v;
        above += v < 0.f ? Vector{} : product;
        below += v < 0.f ? product : Vector{};
        store(gradient + at + x, g * factor);
      }
    }
    d_scale[c] += sum_lanes(above);
    d_negative[c] += sum_lanes(below);
  }
}

}  // namespace coco::tune
