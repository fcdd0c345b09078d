#include "compiler/quantize/ranges.h"

#include <algorithm>
#include <cmath>

namespace coco::compiler {

Histogram::Histogram(float low, float high)
    : low_(std::min(low, 0.0f)), high_(std::max(high, 0.0f)), counts_(kBins, 0) {
  width_ = high_ > low_ ? (high_ - low_) / kBins : 1.0;
}

size_t Histogram::bin(double value) const {
  return static_cast<size_t>(std::clamp((value - low_) / width_, 0.0, double(kBins - 1)));
}

void Histogram::add(std::span<const float> values) {
  for (float v : values) {
    ++counts_[bin(v)];
    zeros_ += v == 0.0f ? 1 : 0;
  }
  total_ += values.size();
}

void Histogram::add(const Histogram& other) {
  for (size_t i = 0; i < kBins; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  zeros_ += other.zeros_;
}

void Histogram::finish() {
  n_.assign(kBins + 1, 0);
  sum_ = squares_ = n_;
  for (size_t i = 0; i < kBins; ++i) {
    const auto n = static_cast<double>(counts_[i]);
    n_[i + 1] = n_[i] + n;
    sum_[i + 1] = sum_[i] + n * center(i);
    squares_[i + 1] = squares_[i] + n * center(i) * center(i);
  }
}

double Histogram::clipping_error(double low, double high) const {
  // Sum of n (c - b)^2 = squares - 2 b sum + b^2 n over the bins whose centres lie outside.
  const size_t below = low <= low_ ? 0 : bin(low), above = high >= high_ ? kBins : bin(high) + 1;
  const double left = squares_[below] - 2 * low * sum_[below] + low * low * n_[below];
  const double right = (squares_[kBins] - squares_[above]) - 2 * high * (sum_[kBins] - sum_[above]) +
                       high * high * (n_[kBins] - n_[above]);
  return std::max(left, 0.0) + std::max(right, 0.0);
}

double Histogram::rounded_values(double low, double high) const {
  const size_t below = low <= low_ ? 0 : bin(low), above = high >= high_ ? kBins : bin(high) + 1;
  return std::max(n_[above] - n_[below] - static_cast<double>(zeros_), 0.0);
}

double Histogram::quantile(double share) const {
  const double wanted = share * count();
  const auto it = std::lower_bound(n_.begin() + 1, n_.end(), wanted);
  const auto i = static_cast<size_t>(std::min<ptrdiff_t>(it - (n_.begin() + 1), kBins - 1));
  const double inside = n_[i + 1] > n_[i] ? (wanted - n_[i]) / (n_[i + 1] - n_[i]) : 0.0;
  return low_ + (static_cast<double>(i) + std::clamp(inside, 0.0, 1.0)) * width_;
}

namespace {

struct Range {
  double low = 0, high = 0;
};

/// Squared error of all channels, in the units of the scaled tensor.
double squared_error(std::span<const Histogram> channels, const std::vector<double>& factors, Range range) {
  const double step = (range.high - range.low) / 255;
  double error = 0;
  for (size_t c = 0; c < channels.size(); ++c) {
    const double f = factors.empty() ? 1.0 : factors[c];
    const double low = (f > 0 ? range.low : range.high) / f, high = (f > 0 ? range.high : range.low) / f;
    // What matters is the error of the channel itself: in its own units a step is step / f.
    const double own_step = step / f;
    error += channels[c].clipping_error(low, high) + channels[c].rounded_values(low, high) * own_step * own_step / 12;
  }
  return error;
}

Range least_error(std::span<const Histogram> channels, const std::vector<double>& factors, Range full) {
  constexpr int kTrials = 48;
  constexpr double kLeast = 0.1;
  Range best = full;
  double least = squared_error(channels, factors, full);
  const auto part = [](int i) { return kLeast + (1 - kLeast) * i / kTrials; };
  for (int i = full.low < 0 ? 0 : kTrials; i <= kTrials; ++i) {
    for (int j = full.high > 0 ? 0 : kTrials; j <= kTrials; ++j) {
      const Range trial{full.low * part(i), full.high * part(j)};
      const double error = squared_error(channels, factors, trial);
      if (error < least) {
        least = error;
        best = trial;
      }
    }
  }
  return best;
}

Range percentile_range(std::span<const Histogram> channels, const std::vector<double>& factors, double percentile,
                       Range full) {
  Range range;
  const double left_out = (1 - percentile / 100) / (full.low < 0 ? 2 : 1);
  for (size_t c = 0; c < channels.size(); ++c) {
    const double f = factors.empty() ? 1.0 : factors[c];
    const double low = f * channels[c].quantile(left_out), high = f * channels[c].quantile(1 - left_out);
    range.low = std::min({range.low, low, high});
    range.high = std::max({range.high, low, high});
  }
  return {std::max(range.low, full.low), std::min(range.high, full.high)};
}

}  // namespace

ActivationScale scale_of_range(double low, double high) {
  ActivationScale scale;
  scale.step = high > low ? (high - low) / 255 : 1.0 / 255;
  scale.zero_point = std::clamp<int64_t>(std::llrint(-low / scale.step), 0, 255);
  return scale;
}

ActivationScale choose_scale(std::span<const Histogram> channels, std::vector<double> factors,
                             const QuantizeOptions& options) {
  Range range;
  for (size_t c = 0; c < channels.size(); ++c) {
    const double f = factors.empty() ? 1.0 : factors[c];
    const double low = f * channels[c].low(), high = f * channels[c].high();
    range.low = std::min({range.low, low, high});
    range.high = std::max({range.high, low, high});
  }
  if (options.method == CalibrationMethod::kPercentile)
    range = percentile_range(channels, factors, options.percentile, range);
  if (options.method == CalibrationMethod::kMse) range = least_error(channels, factors, range);
  ActivationScale scale = scale_of_range(range.low, range.high);
  scale.factors = std::move(factors);
  return scale;
}

}  // namespace coco::compiler
