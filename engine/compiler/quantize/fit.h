// Purpose: weights of an integer convolution fitted to what the f32 one gives: for each output channel the integers q,
// scale s and bias b with a small sum of (y - b - s q.x)^2 over sampled pixels, where x is what the integer layer reads
// and y the f32 layer's sum. Errors of the layers before, and of rounding, are made up for where that is possible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coco::compiler {

/// First and second moments of one group's inputs x (channels * taps of them) and results y.
struct Moments {
  size_t inputs = 0, results = 0;
  double count = 0;
  std::vector<double> x, y;    ///< sums
  std::vector<double> xx, xy;  ///< sums of products: [inputs][inputs], [results][inputs]

  Moments() = default;
  Moments(size_t inputs, size_t results);
  void add(const float* x_values, const float* y_values);
  void add(const Moments& other);
};

struct FittedChannel {
  std::vector<int8_t> weight;
  double scale = 0;
  double bias = 0;
};

/// Fits output channel `m` of the group to `factor` * y, starting from its f32 weights; weights that are 0 stay 0. The
/// pair rule holds.
FittedChannel fit_channel(const Moments& moments, size_t m, const std::vector<double>& weights, double factor,
                          size_t taps, size_t first_channel);

}  // namespace coco::compiler
