// Purpose: from what an activation holds to the 8-bit steps that stand for it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coco/compile.h"

namespace coco::compiler {

/// Equal bins from low to high, and sums over them that make the error of any clipping quick to compute.
class Histogram {
 public:
  static constexpr size_t kBins = 2048;

  Histogram() = default;
  /// Widened so that 0 lies within.
  Histogram(float low, float high);
  void add(std::span<const float> values);
  void add(const Histogram& other);  ///< of the same bounds
  /// After the last value, before what follows.
  void finish();

  double low() const { return low_; }
  double high() const { return high_; }
  double count() const { return static_cast<double>(total_); }
  /// Sum over the values v outside [low, high] of the squared distance to it.
  double clipping_error(double low, double high) const;
  /// Values within that are not 0: each is half a step off at most.
  double rounded_values(double low, double high) const;
  /// The value that `share` of the values lie below.
  double quantile(double share) const;

 private:
  size_t bin(double value) const;
  double center(size_t i) const { return low_ + (static_cast<double>(i) + 0.5) * width_; }

  double low_ = 0, high_ = 0, width_ = 0;
  uint64_t total_ = 0, zeros_ = 0;
  std::vector<uint64_t> counts_;
  std::vector<double> n_, sum_, squares_;  ///< of the bins before each
};

/// q = round(x * factor / step) + zero_point; the factor is the channel's, 1 where there are none. A negative factor
/// turns a channel over, so that its larger side lies where the others' does.
struct ActivationScale {
  double step = 1;
  int64_t zero_point = 0;
  std::vector<double> factors;
  double factor(size_t channel) const { return factors.empty() ? 1.0 : factors[channel]; }
};

/// The steps for a tensor whose channels have these histograms, each channel multiplied by its factor (empty: 1). 0 is
/// one of the values that are exact.
ActivationScale choose_scale(std::span<const Histogram> channels, std::vector<double> factors,
                             const QuantizeOptions& options);

/// Steps whose smallest value is about low and whose largest about high; low <= 0 <= high.
ActivationScale scale_of_range(double low, double high);

}  // namespace coco::compiler
