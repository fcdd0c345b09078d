#include <algorithm>
#include <cmath>

#include "kernels/dense/layout.h"
#include "kernels/dense/resize_taps.h"

namespace coco::kernels {
namespace {

using format::CoordinateMode;
using format::NearestMode;

double round_nearest(NearestMode mode, double x) noexcept {
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return std::ceil(x - 0.5);
    case NearestMode::kRoundPreferCeil:
      return std::floor(x + 0.5);
    case NearestMode::kFloor:
      return std::floor(x);
    case NearestMode::kCeil:
      return std::ceil(x);
  }
  return x;
}

// Keys' cubic kernel: (a+2)|d|^3 - (a+3)|d|^2 + 1 for |d| <= 1, a|d|^3 - 5a|d|^2 + 8a|d| - 4a for |d| < 2.
std::array<double, 4> cubic_weights(double a, double r) noexcept {
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(1 + r), near(r), near(1 - r), far(2 - r)};
}

// sum over the axes' taps of (product of weights) * x, outer axes outside.
float sample(const float* x, const ResizeTaps* taps, const int64_t* strides, int axes) noexcept {
  if (axes == 0) return *x;
  float sum = 0;
  for (int i = 0; i < taps->count; ++i) {
    sum += taps->weight[i] * sample(x + taps->index[i] * *strides, taps + 1, strides + 1, axes - 1);
  }
  return sum;
}

}  // namespace

ResizeAxis resize_axis(const format::ResizeParams& params, size_t axis, int64_t in_length,
                       int64_t out_length) noexcept {
  return {in_length, out_length, axis < params.scales.size() ? params.scales[axis] : 0.0f};
}

double resize_coordinate(CoordinateMode mode, const ResizeAxis& axis, int64_t out_index) noexcept {
  const double in = static_cast<double>(axis.in_length), out = static_cast<double>(axis.out_length);
  const auto unscale = [&](double x) { return axis.scale > 0 ? x / static_cast<double>(axis.scale) : x * in / out; };
  const double x = static_cast<double>(out_index);
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return unscale(x + 0.5) - 0.5;
    case CoordinateMode::kPytorchHalfPixel:
      return axis.out_length > 1 ? unscale(x + 0.5) - 0.5 : 0.0;
    case CoordinateMode::kAlignCorners: {
      // ONNX's own evaluation does not round a scaled length down; its published results need that.
      const double length = axis.scale > 0 ? static_cast<double>(axis.scale) * in : out;
      return length == 1 ? 0.0 : x * (in - 1) / (length - 1);
    }
    case CoordinateMode::kAsymmetric:
      return unscale(x);
  }
  return x;
}

ResizeTaps resize_taps(const format::ResizeParams& params, const ResizeAxis& axis, int64_t out_index) noexcept {
  ResizeTaps taps;
  const double last = static_cast<double>(axis.in_length - 1);
  const double x = resize_coordinate(params.coordinates, axis, out_index);
  if (params.mode == format::ResizeMode::kNearest) {
    taps.count = 1;
    taps.index[0] = static_cast<int64_t>(std::clamp(round_nearest(params.nearest, x), 0.0, last));
    taps.weight[0] = 1.0f;
    return taps;
  }
  const bool cubic = params.mode == format::ResizeMode::kCubic;
  // Far outside the input every tap is an edge sample; the clamp keeps the integer conversion defined.
  const double clamped = std::clamp(x, -4.0, last + 4.0);
  const double base = std::floor(clamped), r = clamped - base;
  const std::array<double, 4> weights =
      cubic ? cubic_weights(params.cubic_a, r) : std::array<double, 4>{1 - r, r, 0.0, 0.0};
  const int64_t first = static_cast<int64_t>(base) - (cubic ? 1 : 0);
  double kept = 0;
  for (int i = 0; i < (cubic ? 4 : 2); ++i) {
    const int64_t index = first + i;
    const bool outside = index < 0 || index >= axis.in_length;
    if (weights[i] == 0.0 || (outside && params.exclude_outside)) continue;
    taps.index[taps.count] = std::clamp<int64_t>(index, 0, axis.in_length - 1);
    taps.weight[taps.count++] = static_cast<float>(weights[i]);
    kept += weights[i];
  }
  if (params.exclude_outside) {
    for (int i = 0; i < taps.count; ++i) {
      taps.weight[i] = static_cast<float>(static_cast<double>(taps.weight[i]) / kept);
    }
  }
  return taps;
}

// y = x resampled along every axis, separably: coordinates and weights in double, sums in f32.
void resize_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::ResizeParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const size_t rank = ys.rank();
  if (rank == 0) {
    *out[0].as<float>() = *in[0].as<float>();
    return;
  }
  const Extents x_strides = row_major_strides(xs);
  const ResizeAxis last = resize_axis(p, rank - 1, xs[rank - 1], ys[rank - 1]);
  std::array<ResizeTaps, kMaxDenseRank> taps;
  Extents strides{};
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(ys, row);
    const float* x = in[0].as<float>();
    int axes = 0;
    for (size_t i = 0; i + 1 < rank; ++i) {
      const ResizeAxis axis = resize_axis(p, i, xs[i], ys[i]);
      if (axis.is_identity()) {
        x += at[i] * x_strides[i];
      } else {
        taps[axes] = resize_taps(p, axis, at[i]);
        strides[axes++] = x_strides[i];
      }
    }
    strides[axes] = 1;
    float* y = out[0].as<float>() + row * ys[rank - 1];
    for (int64_t i = 0; i < ys[rank - 1]; ++i) {
      taps[axes] = resize_taps(p, last, i);
      y[i] = sample(x, taps.data(), strides.data(), axes + 1);
    }
  }
}

}  // namespace coco::kernels
