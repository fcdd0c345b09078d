// Integer operators: the specification of docs/numerics.md.
#include <algorithm>
#include <cmath>

#include "kernels/dense/dense.h"

namespace coco::kernels {

// q = round_half_even(clamp(x * multiplier, -zero_point, 255 - zero_point)) + zero_point; the bounds are integers, so
// clamping before or after rounding is the same.
void quantize_ref(const format::OpParams& params, std::span<const TensorView> in,
                  std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::QuantizeParams>(params);
  const int64_t length = dense_row_length(out[0].shape);
  const auto zero = static_cast<float>(p.zero_point);
  const float* x = in[0].as<float>();
  auto* q = out[0].as<uint8_t>();
  for (int64_t i = row_begin * length; i < row_end * length; ++i) {
    const float v = std::clamp(x[i] * p.multiplier, -zero, 255.0f - zero);
    q[i] = static_cast<uint8_t>(static_cast<int>(std::nearbyint(v)) + static_cast<int>(p.zero_point));
  }
}

namespace {

template <typename T>
void dequantize_rows(const format::DequantizeParams& p, std::span<const TensorView> in, const MutableTensorView& out,
                     int64_t row_begin, int64_t row_end) noexcept {
  const int64_t length = dense_row_length(out.shape);
  int64_t inner = 1;  // elements between neighbours along the axis
  for (size_t i = static_cast<size_t>(p.axis) + 1; i < out.shape.rank(); ++i) inner *= out.shape[i];
  const auto elements = [&](size_t slot) {
    return in.size() > slot && in[slot].data != nullptr ? *in[slot].shape.element_count() : 0;
  };
  const int64_t scales = elements(1), zeros = elements(2);
  const T* x = in[0].as<T>();
  auto* y = out.as<float>();
  for (int64_t i = row_begin * length; i < row_end * length; ++i) {
    const int64_t zero = zeros == 0 ? 0 : in[2].as<int32_t>()[zeros == 1 ? 0 : i / inner % zeros];
    y[i] =
        static_cast<float>(static_cast<int64_t>(x[i]) - zero) * in[1].as<float>()[scales == 1 ? 0 : i / inner % scales];
  }
}

}  // namespace

// y = float(x - zero_point) * scale, the last two of the index along the axis
void dequantize_ref(const format::OpParams& params, std::span<const TensorView> in,
                    std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::DequantizeParams>(params);
  if (in[0].type == DataType::kU8) dequantize_rows<uint8_t>(p, in, out[0], row_begin, row_end);
  if (in[0].type == DataType::kS8) dequantize_rows<int8_t>(p, in, out[0], row_begin, row_end);
  if (in[0].type == DataType::kS32) dequantize_rows<int32_t>(p, in, out[0], row_begin, row_end);
}

// acc[n,m,oy,ox] = bias[m] + sum over c, ky, kx inside the picture of
//                  w[m,c,ky,kx] * (x[n, g*C/G + c, oy*sy + ky*dy - top, ox*sx + kx*dx - left] - in_zero_point)
void quant_conv2d_ref(const format::OpParams& params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::QuantConv2dParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const auto* x = in[0].as<uint8_t>();
  const auto* weights = in[1].as<int8_t>();
  const auto* bias = in[2].as<int32_t>();
  const float* scale = in[3].as<float>();
  const float* negative = in.size() > 4 && in[4].data != nullptr ? in[4].as<float>() : scale;
  const int64_t height = xs[2], width = xs[3], group_channels = xs[1] / p.group, group_results = ys[1] / p.group;
  const auto in_zero = static_cast<int32_t>(p.in_zero_point);
  const auto zero = static_cast<float>(p.out_zero_point);
  const float low = static_cast<float>(p.low) - zero, high = static_cast<float>(p.high) - zero;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t oy = row % ys[2], m = row / ys[2] % ys[1], n = row / ys[2] / ys[1];
    const auto* picture = x + (n * xs[1] + m / group_results * group_channels) * height * width;
    const auto* kernel = weights + m * group_channels * p.kernel[0] * p.kernel[1];
    for (int64_t ox = 0; ox < ys[3]; ++ox) {
      int32_t acc = bias[m];
      const int8_t* w = kernel;
      for (int64_t c = 0; c < group_channels; ++c)
        for (int64_t ky = 0; ky < p.kernel[0]; ++ky)
          for (int64_t kx = 0; kx < p.kernel[1]; ++kx, ++w) {
            const int64_t iy = oy * p.stride[0] + ky * p.dilation[0] - p.pads[0];
            const int64_t ix = ox * p.stride[1] + kx * p.dilation[1] - p.pads[1];
            if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
            acc += *w * (picture[(c * height + iy) * width + ix] - in_zero);
          }
      const float s = static_cast<float>(acc) * (acc < 0 ? negative[m] : scale[m]);
      if (p.dequantize) {
        out[0].as<float>()[row * ys[3] + ox] = s;
      } else {
        const auto rounded = static_cast<int>(std::nearbyint(std::clamp(s, low, high)));
        out[0].as<uint8_t>()[row * ys[3] + ox] = static_cast<uint8_t>(rounded + static_cast<int>(p.out_zero_point));
      }
    }
  }
}

}  // namespace coco::kernels
