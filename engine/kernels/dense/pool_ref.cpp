#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// The samples of one axis that a window sees.
struct Span {
  int64_t begin, end, step;
  int64_t counted;  // those on the input and its padding
};

Span window_at(const format::Pool2dParams& p, size_t axis, int64_t out, int64_t length) noexcept {
  const int64_t start = out * p.stride[axis] - p.pads[axis], step = p.dilation[axis];
  const int64_t stop = start + p.kernel[axis] * step;
  const int64_t first = start < 0 ? start + (-start + step - 1) / step * step : start;
  const int64_t padded = std::min(stop, length + p.pads[axis + 2]);
  return {first, std::min(stop, length), step, (padded - start + step - 1) / step};
}

double power(double x, int64_t p) noexcept {
  if (p == 1) return std::fabs(x);
  return p == 2 ? x * x : std::pow(std::fabs(x), static_cast<double>(p));
}

}  // namespace

// max: y = largest sample of the window; average: their sum / their number; lp: (sum |x|^p)^(1/p)
void pool2d_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  using format::PoolKind;
  const auto& p = std::get<format::Pool2dParams>(params);
  const int64_t height = in[0].shape[2], width = in[0].shape[3];
  const int64_t out_height = out[0].shape[2], out_width = out[0].shape[3];
  for (int64_t row = row_begin; row < row_end; ++row) {
    const float* x = in[0].as<float>() + row / out_height * height * width;
    float* y = out[0].as<float>() + row * out_width;
    const Span ys = window_at(p, 0, row % out_height, height);
    for (int64_t ox = 0; ox < out_width; ++ox) {
      const Span xs = window_at(p, 1, ox, width);
      float most = -std::numeric_limits<float>::infinity();
      double sum = 0;
      int64_t seen = 0;
      for (int64_t sy = ys.begin; sy < ys.end; sy += ys.step) {
        for (int64_t sx = xs.begin; sx < xs.end; sx += xs.step) {
          const float v = x[sy * width + sx];
          most = v > most || std::isnan(v) ? v : most;
          sum += p.kind == PoolKind::kLp ? power(v, p.p) : v;
          ++seen;
        }
      }
      const int64_t count = p.count_padding ? ys.counted * xs.counted : seen;
      y[ox] = p.kind == PoolKind::kMax       ? most
              : p.kind == PoolKind::kAverage ? static_cast<float>(sum / static_cast<double>(count))
                                             : static_cast<float>(std::pow(sum, 1.0 / static_cast<double>(p.p)));
    }
  }
}

}  // namespace coco::kernels
