// Operators on u8 activations between integer convolutions: the specification of docs/numerics.md.
#include <algorithm>
#include <cmath>

#include "kernels/dense/layout.h"
#include "kernels/dense/resize_taps.h"

namespace coco::kernels {

// y = table[x]
void lookup_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const int64_t length = dense_row_length(out[0].shape);
  const auto *x = in[0].as<uint8_t>(), *table = in[1].as<uint8_t>();
  auto* y = out[0].as<uint8_t>();
  for (int64_t i = row_begin * length; i < row_end * length; ++i) y[i] = table[x[i]];
}

uint8_t quant_binary(const format::QuantBinaryParams& p, int32_t a, int32_t b) noexcept {
  a -= static_cast<int32_t>(p.a_zero_point), b -= static_cast<int32_t>(p.b_zero_point);
  const int32_t acc = p.kind == format::BinaryKind::kMul
                          ? a * b
                          : a * static_cast<int32_t>(p.a_factor) + b * static_cast<int32_t>(p.b_factor);
  const float s = static_cast<float>(acc) * p.scale;
  const auto rounded = static_cast<int64_t>(std::nearbyint(s)) + p.out_zero_point;
  return static_cast<uint8_t>(std::clamp(rounded, p.low, p.high));
}

// y = clamp(round_half_even(float(acc) * scale) + out_zero_point, low, high), acc the weighted sum or the product
void quant_binary_ref(const format::OpParams& params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::QuantBinaryParams>(params);
  const Shape& shape = out[0].shape;
  const size_t rank = shape.rank();
  const Extents a_strides = broadcast_strides(in[0].shape, shape), b_strides = broadcast_strides(in[1].shape, shape);
  const int64_t a_step = rank > 0 ? a_strides[rank - 1] : 0, b_step = rank > 0 ? b_strides[rank - 1] : 0;
  const int64_t length = dense_row_length(shape);
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(shape, row);
    const uint8_t* a = in[0].as<uint8_t>() + dot(at, a_strides, rank);
    const uint8_t* b = in[1].as<uint8_t>() + dot(at, b_strides, rank);
    uint8_t* y = out[0].as<uint8_t>() + row * length;
    for (int64_t i = 0; i < length; ++i) y[i] = quant_binary(p, a[i * a_step], b[i * b_step]);
  }
}

// max: the largest sample of the window; average: round_half_even(float(sum of samples) / float(their number))
void pool2d_steps_ref(const format::OpParams& params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::Pool2dParams>(params);
  const int64_t height = in[0].shape[2], width = in[0].shape[3];
  const int64_t out_height = out[0].shape[2], out_width = out[0].shape[3];
  for (int64_t row = row_begin; row < row_end; ++row) {
    const uint8_t* x = in[0].as<uint8_t>() + row / out_height * height * width;
    uint8_t* y = out[0].as<uint8_t>() + row * out_width;
    for (int64_t ox = 0; ox < out_width; ++ox) {
      int32_t most = 0, sum = 0, seen = 0;
      for (int64_t ky = 0; ky < p.kernel[0]; ++ky) {
        const int64_t sy = row % out_height * p.stride[0] - p.pads[0] + ky * p.dilation[0];
        if (sy < 0 || sy >= height) continue;
        for (int64_t kx = 0; kx < p.kernel[1]; ++kx) {
          const int64_t sx = ox * p.stride[1] - p.pads[1] + kx * p.dilation[1];
          if (sx < 0 || sx >= width) continue;
          const int32_t v = x[sy * width + sx];
          most = std::max(most, v), sum += v, ++seen;
        }
      }
      const float mean = static_cast<float>(sum) / static_cast<float>(std::max(seen, 1));
      y[ox] = p.kind == format::PoolKind::kMax ? static_cast<uint8_t>(most)
                                               : static_cast<uint8_t>(static_cast<int>(std::nearbyint(mean)));
    }
  }
}

StepTaps step_taps(const format::ResizeParams& params, const ResizeAxis& axis, int64_t out_index) noexcept {
  if (axis.is_identity()) return {{out_index, out_index}, {kStepTapsUnit, 0}};
  const ResizeTaps taps = resize_taps(params, axis, out_index);
  if (taps.count < 2) return {{taps.index[0], taps.index[0]}, {kStepTapsUnit, 0}};
  const auto second = static_cast<int32_t>(std::nearbyint(taps.weight[1] * float{kStepTapsUnit}));
  return {{taps.index[0], taps.index[1]}, {kStepTapsUnit - second, second}};
}

namespace {

// sum over the axes' taps of (product of weights) * x, outer axes outside
int64_t sample(const uint8_t* x, const StepTaps* taps, const int64_t* strides, int axes) noexcept {
  if (axes == 0) return *x;
  int64_t sum = 0;
  for (int i = 0; i < 2; ++i) {
    if (taps->weight[i] != 0)
      sum += taps->weight[i] * sample(x + taps->index[i] * *strides, taps + 1, strides + 1, axes - 1);
  }
  return sum;
}

}  // namespace

// y = round_half_even(sum of x times the product of its axes' weights), each of them in 1/128
void resize_steps_ref(const format::OpParams& params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::ResizeParams>(params);
  const Shape &xs = in[0].shape, &ys = out[0].shape;
  const size_t rank = ys.rank();
  const Extents x_strides = row_major_strides(xs);
  std::array<StepTaps, kMaxDenseRank> taps;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(ys, row);
    Extents strides{};
    const uint8_t* x = in[0].as<uint8_t>();
    int axes = 0;
    const auto add_axis = [&](size_t i, int64_t index) {
      const ResizeAxis axis = resize_axis(p, i, xs[i], ys[i]);
      taps[axes] = step_taps(p, axis, index);
      if (taps[axes].weight[1] == 0) {
        x += taps[axes].index[0] * x_strides[i];
      } else {
        strides[axes++] = x_strides[i];
      }
    };
    for (size_t i = 0; i + 1 < rank; ++i) add_axis(i, at[i]);
    const uint8_t* line = x;
    const int outer = axes;
    for (int64_t i = 0; i < dense_row_length(ys); ++i) {
      x = line, axes = outer;
      if (rank > 0) add_axis(rank - 1, i);
      const int shift = kStepTapsBits * axes;
      const int64_t sum = sample(x, taps.data(), strides.data(), axes);
      const int64_t half = shift > 0 ? (int64_t{1} << (shift - 1)) - 1 + (sum >> shift & 1) : 0;
      out[0].as<uint8_t>()[row * dense_row_length(ys) + i] = static_cast<uint8_t>((sum + half) >> shift);
    }
  }
}

}  // namespace coco::kernels
