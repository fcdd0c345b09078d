#include "tune/patch_kernels.h"

#include "tune/patch_tiles.h"

// Vector extensions of GCC and clang: eight or sixteen lanes whatever the processor. On x86-64 the kernels are compiled
// for AVX2 with FMA, and the convolutions for AVX-512 as well, and used only where these are; elsewhere the compiler
// splits the lanes as it must.
#pragma GCC diagnostic ignored "-Wpsabi"

#if defined(__x86_64__)
#define COCO_TUNE_ISA wide
#define COCO_TUNE_TARGET __attribute__((target("avx512f,avx2,fma")))
#define COCO_TUNE_LANES 16
#define COCO_TUNE_GROUPS 2
#define COCO_TUNE_KEEP(v) __asm__("" : "+v"(v))
#define COCO_TUNE_GRADIENT_CHANNELS 2
#define COCO_TUNE_GRADIENT_ROWS 3
#include "tune/patch_conv-inl.h"
#undef COCO_TUNE_TARGET
#define COCO_TUNE_TARGET __attribute__((target("avx2,fma")))
#else
#define COCO_TUNE_TARGET
#endif

#define COCO_TUNE_ISA narrow
#define COCO_TUNE_LANES 8
#define COCO_TUNE_GROUPS 1
#define COCO_TUNE_KEEP(v) static_cast<void>(v)
#define COCO_TUNE_GRADIENT_CHANNELS 4
#define COCO_TUNE_GRADIENT_ROWS 1
#include "tune/patch_conv-inl.h"

namespace coco::tune {
namespace {

using narrow::kLanes;
using narrow::load;
using narrow::store;
using narrow::sum_lanes;
using narrow::Vector;

#if defined(__x86_64__)
bool takes_wide(const PlaneGrid& grid) {
  static const bool supported = __builtin_cpu_supports("avx512f") != 0;
  return supported && grid.size % wide::kLanes == 0;
}
#else
namespace wide = narrow;
bool takes_wide(const PlaneGrid&) { return false; }
#endif

COCO_TUNE_TARGET void bias_gradient(const PlaneGrid& grid, const float* gradient, int channels, float* d_bias) {
  for (int c = 0; c < channels; ++c) {
    Vector sum = {};
    for (int y = 0; y < grid.size; ++y) {
      for (int x = 0; x < grid.size; x += kLanes) {
        Vector g;
        load(gradient + c * grid.plane + y * grid.stride + x, g);
        sum += g;
      }
    }
    d_bias[c] += sum_lanes(sum);
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

void pack_conv3x3(int size, const float* weight, int channels_in, int channels_out, PackedConv& packed) {
  packed.channels_in = channels_in;
  packed.channels_out = channels_out;
  packed.vectors.clear();
  packed.tiles.clear();
  if (tiles_serve(size, channels_in, channels_out)) {
    tile_weights(weight, channels_in, channels_out, packed.tiles);
    return;
  }
  for (int o = 0; o < channels_out; o += 4) {
    for (int i = 0; i < channels_in; ++i) {
      for (int tap = 0; tap < 9; ++tap) {
        for (int t = 0; t < 4; ++t) packed.vectors.push_back(weight[((o + t) * channels_in + i) * 9 + tap]);
      }
    }
  }
}

void pack_conv3x3_backward(int size, const float* weight, int channels_in, int channels_out, PackedConv& packed) {
  std::vector<float> exchanged;
  for (int i = 0; i < channels_in; ++i) {
    for (int o = 0; o < channels_out; ++o) {
      for (int tap = 8; tap >= 0; --tap) exchanged.push_back(weight[(o * channels_in + i) * 9 + tap]);
    }
  }
  pack_conv3x3(size, exchanged.data(), channels_out, channels_in, packed);
}

void conv3x3(const PlaneGrid& grid, const float* in, const PackedConv& packed, const float* bias, float* out) {
  if (!packed.tiles.empty()) {
    tile_conv3x3(grid, in, packed.channels_in, packed.tiles.data(), bias, out, packed.channels_out);
    return;
  }
  (takes_wide(grid) ? wide::conv3x3 : narrow::conv3x3)(grid, in, packed.channels_in, packed.vectors.data(), bias, out,
                                                       packed.channels_out);
}

void conv3x3_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in, const float* gradient,
                             int channels_out, float* d_weight, float* d_bias) {
  bias_gradient(grid, gradient, channels_out, d_bias);
  if (tiles_serve(grid.size, channels_in, channels_out)) {
    tile_weight_gradient(grid, in, channels_in, gradient, channels_out, d_weight);
    return;
  }
  (takes_wide(grid) ? wide::conv3x3_weight_gradient : narrow::conv3x3_weight_gradient)(grid, in, channels_in, gradient,
                                                                                       channels_out, d_weight);
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
