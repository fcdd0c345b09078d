// Reductions and what is normalised by one: sums are kept in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// What a reduction gathers before it is finished.
struct Gathered {
  format::ReduceKind kind;
  double value;
  explicit Gathered(format::ReduceKind k) : kind(k) {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    value = k == format::ReduceKind::kProd  ? 1
            : k == format::ReduceKind::kMax ? -kInf
            : k == format::ReduceKind::kMin ? kInf
                                            : 0;
  }
  // `peak`: what the exponents of kLogSumExp are taken from.
  void add(double x, double peak) noexcept {
    using format::ReduceKind;
    switch (kind) {
      case ReduceKind::kMax:
        if (x > value || std::isnan(x)) value = x;
        return;
      case ReduceKind::kMin:
        if (x < value || std::isnan(x)) value = x;
        return;
      case ReduceKind::kProd:
        value *= x;
        return;
      case ReduceKind::kL1:
        value += std::fabs(x);
        return;
      case ReduceKind::kL2:
      case ReduceKind::kSumSquare:
        value += x * x;
        return;
      case ReduceKind::kLogSumExp:
        value += std::exp(x - peak);
        return;
      default:
        value += x;
    }
  }
  float finish(int64_t count, double peak) const noexcept {
    using format::ReduceKind;
    switch (kind) {
      case ReduceKind::kMean:
        return static_cast<float>(value / static_cast<double>(count));
      case ReduceKind::kL2:
        return static_cast<float>(std::sqrt(value));
      case ReduceKind::kLogSum:
        return static_cast<float>(std::log(value));
      case ReduceKind::kLogSumExp:
        return static_cast<float>(std::log(value) + peak);
      default:
        return static_cast<float>(value);
    }
  }
};

// The axes of x in two groups: those a reduction keeps, and those it runs over.
struct Walk {
  Extents kept_dims{}, kept_strides{}, dims{}, strides{};
  size_t kept = 0, rank = 0;
  int64_t count = 1;

  Walk(const Shape& x, const std::vector<int64_t>& axes) noexcept {
    const Extents own = row_major_strides(x);
    for (size_t i = 0; i < x.rank(); ++i) {
      if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) == axes.end()) {
        kept_dims[kept] = x[i];
        kept_strides[kept++] = own[i];
      } else {
        dims[rank] = x[i];
        strides[rank++] = own[i];
        count *= x[i];
      }
    }
  }
  // Where element `index` of the result begins in x.
  int64_t base(int64_t index) const noexcept {
    int64_t offset = 0;
    for (size_t i = kept; i-- > 0;) {
      offset += index % kept_dims[i] * kept_strides[i];
      index /= kept_dims[i];
    }
    return offset;
  }
  template <typename Fn>
  void visit(const float* x, Fn fn) const noexcept {
    Extents at{};
    int64_t offset = 0;
    for (int64_t i = 0; i < count; ++i) {
      fn(x[offset]);
      for (size_t axis = rank; axis-- > 0;) {
        offset += strides[axis];
        if (++at[axis] < dims[axis]) break;
        offset -= strides[axis] * dims[axis];
        at[axis] = 0;
      }
    }
  }
};

}  // namespace

// y = f over the axes of x
void reduce_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::ReduceParams>(params);
  const Walk walk(in[0].shape, p.axes);
  const int64_t length = dense_row_length(out[0].shape);
  for (int64_t i = row_begin * length; i < row_end * length; ++i) {
    const float* x = in[0].as<float>() + walk.base(i);
    double peak = 0;
    if (p.kind == format::ReduceKind::kLogSumExp) {
      Gathered most(format::ReduceKind::kMax);
      walk.visit(x, [&](float v) { most.add(v, 0); });
      peak = std::isfinite(most.value) ? most.value : 0;
    }
    Gathered gathered(p.kind);
    walk.visit(x, [&](float v) { gathered.add(v, peak); });
    out[0].as<float>()[i] = gathered.finish(walk.count, peak);
  }
}

// y = the index of the largest (smallest) element along the axis
void arg_reduce_ref(const format::OpParams& params, std::span<const TensorView> in,
                    std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::ArgReduceParams>(params);
  const auto axis = static_cast<size_t>(p.axis);
  const int64_t step = row_major_strides(in[0].shape)[axis], dim = in[0].shape[axis];
  const int64_t length = dense_row_length(out[0].shape);
  for (int64_t i = row_begin * length; i < row_end * length; ++i) {
    const float* x = in[0].as<float>() + i / step * step * dim + i % step;
    int64_t best = 0;
    for (int64_t k = 1; k < dim; ++k) {
      const float a = x[k * step], b = x[best * step];
      if ((p.smallest ? a < b : a > b) || (p.last && a == b)) best = k;
    }
    out[0].as<int64_t>()[i] = best;
  }
}

// Insertion into the k best found so far: k is small beside the axis.
void top_k_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::TopKParams>(params);
  const auto axis = static_cast<size_t>(p.axis);
  const int64_t step = row_major_strides(in[0].shape)[axis], dim = in[0].shape[axis];
  const auto before = [&](float a, float b) {
    if (std::isnan(a) || std::isnan(b)) return p.smallest ? !std::isnan(a) : !std::isnan(b) ? std::isnan(a) : false;
    return p.smallest ? a < b : a > b;
  };
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const float* x = in[0].as<float>() + unit / step * step * dim + unit % step;
    const int64_t base = unit / step * step * p.k + unit % step;
    float* values = out[0].as<float>() + base;
    int64_t* places = out[1].as<int64_t>() + base;
    int64_t found = 0;
    for (int64_t i = 0; i < dim; ++i) {
      const float v = x[i * step];
      int64_t at = found;
      while (at > 0 && before(v, values[(at - 1) * step])) --at;
      if (at >= p.k) continue;
      found = std::min(found + 1, p.k);
      for (int64_t k = found - 1; k > at; --k) {
        values[k * step] = values[(k - 1) * step];
        places[k * step] = places[(k - 1) * step];
      }
      values[at * step] = v;
      places[at * step] = i;
    }
  }
}

// y = exp(x - max) / sum of exp(x - max), or x - max - log of the sum
void softmax_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                 int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::SoftmaxParams>(params);
  const Shape& shape = in[0].shape;
  int64_t inner = 1, count = 1;
  for (size_t i = static_cast<size_t>(p.axis); i < shape.rank(); ++i) {
    (i < static_cast<size_t>(p.end) ? count : inner) *= shape[i];
  }
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const int64_t base = unit / inner * inner * count + unit % inner;
    const float* x = in[0].as<float>() + base;
    float* y = out[0].as<float>() + base;
    float peak = -std::numeric_limits<float>::infinity();
    for (int64_t i = 0; i < count; ++i) peak = std::max(peak, x[i * inner]);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      y[i * inner] = p.log ? x[i * inner] - peak : std::exp(x[i * inner] - peak);
      sum += p.log ? std::exp(y[i * inner]) : y[i * inner];
    }
    const auto scale = static_cast<float>(p.log ? std::log(sum) : 1 / sum);
    for (int64_t i = 0; i < count; ++i) y[i * inner] = p.log ? y[i * inner] - scale : y[i * inner] * scale;
  }
}

namespace {

struct Moments {
  float mean, scale;  // scale = 1 / sqrt(variance + epsilon)
};

Moments moments(const float* x, int64_t count, float epsilon) noexcept {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {static_cast<float>(mean),
          static_cast<float>(1 / std::sqrt(squares / static_cast<double>(count) + static_cast<double>(epsilon)))};
}

}  // namespace

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias over everything from the axis on
void layer_norm_ref(const format::OpParams& params, std::span<const TensorView> in,
                    std::span<const MutableTensorView> out, int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::LayerNormParams>(params);
  const Shape& shape = in[0].shape;
  const int64_t units = dense_units({&params, in, out});
  const int64_t count = units > 0 ? shape.element_count().value_or(0) / units : 0;
  const auto element = [&](size_t slot, int64_t index, float fallback) {
    if (in.size() <= slot || in[slot].data == nullptr) return fallback;
    const Extents strides = broadcast_strides(in[slot].shape, shape);
    int64_t offset = 0;
    for (size_t i = shape.rank(); i-- > 0;) {
      offset += index % shape[i] * strides[i];
      index /= shape[i];
    }
    return in[slot].as<float>()[offset];
  };
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const float* x = in[0].as<float>() + unit * count;
    const Moments m = moments(x, count, p.epsilon);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = unit * count + i;
      out[0].as<float>()[at] = (x[i] - m.mean) * m.scale * element(1, at, 1) + element(2, at, 0);
    }
  }
}

// y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c] over a group of channels and all behind them
void group_norm_ref(const format::OpParams& params, std::span<const TensorView> in,
                    std::span<const MutableTensorView> out, int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::GroupNormParams>(params);
  const int64_t channels = in[0].shape[1] / p.groups;
  int64_t pixels = 1;
  for (size_t i = 2; i < in[0].shape.rank(); ++i) pixels *= in[0].shape[i];
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const int64_t base = unit * channels * pixels;
    const float* x = in[0].as<float>() + base;
    float* y = out[0].as<float>() + base;
    const Moments m = moments(x, channels * pixels, p.epsilon);
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t channel = unit % p.groups * channels + c;
      const float scale = in.size() > 1 && in[1].data != nullptr ? in[1].as<float>()[channel] : 1;
      const float bias = in.size() > 2 && in[2].data != nullptr ? in[2].as<float>()[channel] : 0;
      for (int64_t i = c * pixels; i < (c + 1) * pixels; ++i) y[i] = (x[i] - m.mean) * m.scale * scale + bias;
    }
  }
}

}  // namespace coco::kernels
