#include "compiler/quantize/fit.h"

#include <algorithm>
#include <cmath>

#include "compiler/quantize/layer.h"

namespace coco::compiler {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

/// Half the squared error of weights v is 1/2 v.Hv - c.v + constant, H and c being centred moments with a little weight
/// on the f32 weights, so that what the samples do not show stays as it was.
class Fit {
 public:
  Fit(const Moments& moments, size_t m, const std::vector<double>& weights, double factor, size_t taps,
      size_t first_channel)
      : n_(weights.size()), taps_(taps), first_channel_(first_channel), h_(n_ * n_), c_(n_), weights_(weights) {
    const double count = std::max(moments.count, 1.0);
    for (size_t i = 0; i < n_; ++i) {
      for (size_t j = 0; j < n_; ++j)
        h_[i * n_ + j] = moments.xx[i * n_ + j] / count - moments.x[i] / count * (moments.x[j] / count);
      c_[i] = factor * (moments.xy[m * n_ + i] / count - moments.x[i] / count * (moments.y[m] / count));
    }
    double trace = 0;
    for (size_t i = 0; i < n_; ++i) trace += h_[i * n_ + i];
    const double ridge = 1e-3 * trace / static_cast<double>(n_) + 1e-12;
    for (size_t i = 0; i < n_; ++i) {
      h_[i * n_ + i] += ridge;
      c_[i] += ridge * weights[i];
    }
  }

  FittedChannel run() {
    const std::vector<double> real = real_solution();
    const double smallest = weight_scale(real, taps_, first_channel_);
    FittedChannel best;
    best.weight.assign(n_, 0);
    double least = 0;
    for (double stretch : {0.8, 0.9, 1.0, 1.05, 1.1, 1.2}) {
      if (smallest == 0) break;
      std::vector<int> q = rounded(real, smallest * stretch);
      const double cost = improve(q, smallest * stretch);
      if (best.scale != 0 && cost >= least) continue;
      least = cost;
      best.scale = smallest * stretch;
      std::copy(q.begin(), q.end(), best.weight.begin());
    }
    return best;
  }

 private:
  size_t partner(size_t i) const {
    const size_t c = i / taps_, absolute = first_channel_ + c;
    if (absolute % 2 == 1) return c > 0 ? i - taps_ : kNone;
    return i + taps_ < n_ ? i + taps_ : kNone;
  }

  int bound(const std::vector<int>& q, size_t i) const {
    const size_t other = partner(i);
    return std::min(127, other == kNone ? 127 : kPairLimit - std::abs(q[other]));
  }

  /// H v - c.
  std::vector<double> gradient(const std::vector<double>& v) const {
    std::vector<double> g(n_);
    for (size_t i = 0; i < n_; ++i) {
      g[i] = -c_[i];
      for (size_t j = 0; j < n_; ++j) g[i] += h_[i * n_ + j] * v[j];
    }
    return g;
  }

  void move(std::vector<double>& g, size_t i, double by) const {
    const double* row = h_.data() + i * n_;
    for (size_t j = 0; j < n_; ++j) g[j] += row[j] * by;
  }

  /// The best weights in real numbers, by Gauss and Seidel.
  std::vector<double> real_solution() const {
    constexpr int kSweeps = 60;
    std::vector<double> v = weights_, g = gradient(v);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (size_t i = 0; i < n_; ++i) {
        if (weights_[i] == 0) continue;
        const double by = -g[i] / h_[i * n_ + i];
        v[i] += by;
        move(g, i, by);
      }
    }
    return v;
  }

  std::vector<int> rounded(const std::vector<double>& v, double scale) const {
    std::vector<int> q(n_, 0);
    for (size_t i = 0; i < n_; ++i) {
      const int most = bound(q, i);
      q[i] = std::clamp(static_cast<int>(std::nearbyint(v[i] / scale)), -most, most);
    }
    return q;
  }

  /// Moves one weight at a time to where the error is least; gives the error, up to the constant.
  double improve(std::vector<int>& q, double scale) const {
    constexpr int kSweeps = 20;
    std::vector<double> v(n_);
    for (size_t i = 0; i < n_; ++i) v[i] = scale * q[i];
    std::vector<double> g = gradient(v);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool moved = false;
      for (size_t i = 0; i < n_; ++i) {
        if (weights_[i] == 0) continue;
        const int most = bound(q, i);
        const double wanted = q[i] - g[i] / (h_[i * n_ + i] * scale);
        const int to = static_cast<int>(std::nearbyint(std::clamp(wanted, -double(most), double(most))));
        if (to == q[i]) continue;
        move(g, i, scale * (to - q[i]));
        q[i] = to;
        moved = true;
      }
      if (!moved) break;
    }
    double cost = 0;
    for (size_t i = 0; i < n_; ++i) cost += scale * q[i] * (g[i] - c_[i]) / 2;
    return cost;
  }

  size_t n_, taps_, first_channel_;
  std::vector<double> h_, c_;
  const std::vector<double>& weights_;
};

}  // namespace

Moments::Moments(size_t inputs, size_t results)
    : inputs(inputs), results(results), x(inputs), y(results), xx(inputs * inputs), xy(results * inputs) {}

void Moments::add(const float* x_values, const float* y_values) {
  count += 1;
  for (size_t i = 0; i < inputs; ++i) {
    const double v = x_values[i];
    x[i] += v;
    double* row = xx.data() + i * inputs;
    for (size_t j = 0; j < inputs; ++j) row[j] += v * x_values[j];
  }
  for (size_t m = 0; m < results; ++m) {
    const double v = y_values[m];
    y[m] += v;
    double* row = xy.data() + m * inputs;
    for (size_t j = 0; j < inputs; ++j) row[j] += v * x_values[j];
  }
}

void Moments::add(const Moments& other) {
  const auto sum = [](std::vector<double>& to, const std::vector<double>& from) {
    for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  };
  count += other.count;
  sum(x, other.x);
  sum(y, other.y);
  sum(xx, other.xx);
  sum(xy, other.xy);
}

FittedChannel fit_channel(const Moments& moments, size_t m, const std::vector<double>& weights, double factor,
                          size_t taps, size_t first_channel) {
  FittedChannel fitted = Fit(moments, m, weights, factor, taps, first_channel).run();
  const double count = std::max(moments.count, 1.0);
  fitted.bias = factor * moments.y[m] / count;
  for (size_t i = 0; i < weights.size(); ++i) fitted.bias -= fitted.scale * fitted.weight[i] * moments.x[i] / count;
  return fitted;
}

}  // namespace coco::compiler
