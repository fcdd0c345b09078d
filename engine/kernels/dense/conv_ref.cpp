#include <algorithm>

#include "kernels/dense/dense.h"

namespace coco::kernels {
namespace {

// Division rounding up, for a positive divisor and any dividend.
int64_t ceil_div(int64_t a, int64_t b) noexcept { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// The results ox of [0, count) whose sample ox * stride + shift lies in [0, length).
struct Span {
  int64_t begin, end;
};
Span valid_results(int64_t count, int64_t length, int64_t stride, int64_t shift) noexcept {
  return {std::clamp<int64_t>(ceil_div(-shift, stride), 0, count),
          std::clamp<int64_t>(ceil_div(length - shift, stride), 0, count)};
}

void finish_row(const format::Conv2dParams& p, const float* slope, float* out, int64_t count) noexcept {
  if (slope != nullptr) {
    for (int64_t i = 0; i < count; ++i) out[i] = out[i] < 0.0f ? out[i] * *slope : out[i];
  } else if (p.activation != format::UnaryKind::kIdentity) {
    for (int64_t i = 0; i < count; ++i) out[i] = apply_unary(p.activation, p.act_a, p.act_b, out[i]);
  }
}

}  // namespace

// y[n,m,oy,ox] = act(bias[m] + sum over c, ky, kx of
//                    w[m,c,ky,kx] * x[n, g*C/G + c, oy*sy + ky*dy - top, ox*sx + kx*dx - left]),
// summed in that order in f32; samples outside x are 0; g = m / (M/G).
void conv2d_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::Conv2dParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const float* bias = in.size() > 2 ? in[2].as<float>() : nullptr;
  const float* slope = in.size() > 3 ? in[3].as<float>() : nullptr;
  const int64_t height = xs[2], width = xs[3], group_channels = xs[1] / p.group, group_results = ys[1] / p.group;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t oy = row % ys[2], m = row / ys[2] % ys[1], n = row / ys[2] / ys[1];
    float* y = out[0].as<float>() + row * ys[3];
    std::fill_n(y, ys[3], bias != nullptr ? bias[m] : 0.0f);
    for (int64_t c = 0; c < group_channels; ++c) {
      const float* plane = in[0].as<float>() + (n * xs[1] + m / group_results * group_channels + c) * height * width;
      const float* w = in[1].as<float>() + (m * group_channels + c) * p.kernel[0] * p.kernel[1];
      for (int64_t ky = 0; ky < p.kernel[0]; ++ky) {
        const int64_t iy = oy * p.stride[0] + ky * p.dilation[0] - p.pads[0];
        if (iy < 0 || iy >= height) continue;
        for (int64_t kx = 0; kx < p.kernel[1]; ++kx) {
          const int64_t shift = kx * p.dilation[1] - p.pads[1];
          const auto [begin, end] = valid_results(ys[3], width, p.stride[1], shift);
          const float weight = w[ky * p.kernel[1] + kx];
          const float* x = plane + iy * width + shift;
          for (int64_t ox = begin; ox < end; ++ox) y[ox] += weight * x[ox * p.stride[1]];
        }
      }
    }
    finish_row(p, slope != nullptr ? slope + m : nullptr, y, ys[3]);
  }
}

// y[n,m,iy*sy + ky*dy - top, ix*sx + kx*dx - left] += w[c,m mod M/G,ky,kx] * x[n,c,iy,ix], starting from bias[m];
// c runs over the channels of m's group; summed over c, ky, kx, ix in that order in f32.
void conv_transpose2d_ref(const format::OpParams& params, std::span<const TensorView> in,
                          std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::ConvTranspose2dParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const float* bias = in.size() > 2 ? in[2].as<float>() : nullptr;
  const int64_t height = xs[2], width = xs[3], group_channels = xs[1] / p.group, group_results = ys[1] / p.group;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t oy = row % ys[2], m = row / ys[2] % ys[1], n = row / ys[2] / ys[1];
    float* y = out[0].as<float>() + row * ys[3];
    std::fill_n(y, ys[3], bias != nullptr ? bias[m] : 0.0f);
    for (int64_t i = 0; i < group_channels; ++i) {
      const int64_t c = m / group_results * group_channels + i;
      const float* plane = in[0].as<float>() + (n * xs[1] + c) * height * width;
      const float* w = in[1].as<float>() + (c * group_results + m % group_results) * p.kernel[0] * p.kernel[1];
      for (int64_t ky = 0; ky < p.kernel[0]; ++ky) {
        const int64_t scaled = oy + p.pads[0] - ky * p.dilation[0];
        if (scaled < 0 || scaled % p.stride[0] != 0 || scaled / p.stride[0] >= height) continue;
        const float* x = plane + scaled / p.stride[0] * width;
        for (int64_t kx = 0; kx < p.kernel[1]; ++kx) {
          const int64_t shift = kx * p.dilation[1] - p.pads[1];
          const auto [begin, end] = valid_results(width, ys[3], p.stride[1], shift);
          const float weight = w[ky * p.kernel[1] + kx];
          for (int64_t ix = begin; ix < end; ++ix) y[ix * p.stride[1] + shift] += weight * x[ix];
        }
      }
    }
  }
}

}  // namespace coco::kernels
