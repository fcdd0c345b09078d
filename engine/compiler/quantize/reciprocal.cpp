#include "compiler/quantize/reciprocal.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace coco::compiler {
namespace {

constexpr int kNeighbours = 4;

float reciprocal(float x) { return static_cast<float>(1.0 / static_cast<double>(x)); }

float neighbour(float x, int steps) {
  const float towards = steps < 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  for (int i = 0; i < std::abs(steps); ++i) x = std::nextafter(x, towards);
  return x;
}

int trailing_zeros(float x) { return std::countr_zero(std::bit_cast<uint32_t>(x) | 1u << 23); }

/// The first of x, its neighbours, their neighbours ... that passes.
template <typename Test>
std::optional<float> nearest(float x, Test passes) {
  if (!std::isfinite(x)) return std::nullopt;
  for (int i = 0; i <= kNeighbours; ++i) {
    for (int steps : {i, -i}) {
      const float candidate = neighbour(x, steps);
      if (passes(candidate)) return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

float multiplier_of_step(float step) {
  float best = reciprocal(step);
  int zeros = -1;
  nearest(best, [&](float candidate) {
    if (reciprocal(candidate) == step && trailing_zeros(candidate) > zeros) {
      best = candidate;
      zeros = trailing_zeros(candidate);
    }
    return false;
  });
  return best;
}

std::optional<float> step_of_multiplier(float multiplier) {
  return nearest(reciprocal(multiplier), [multiplier](float step) { return multiplier_of_step(step) == multiplier; });
}

std::optional<float> slope_between(float scale, float negative) {
  return nearest(static_cast<float>(static_cast<double>(negative) / scale), [&](float slope) {
    return static_cast<float>(static_cast<double>(scale) * static_cast<double>(slope)) == negative;
  });
}

SumFactors sum_factors(double a, double b, double out) {
  constexpr double kMost = 32767;
  const double largest = std::max(a, b) / out;
  const int bits = std::clamp(static_cast<int>(std::floor(std::log2(kMost / largest))), -6, 60);
  const auto factor = [&](double step) { return std::llrint(std::min(std::ldexp(step / out, bits), kMost)); };
  return {factor(a), factor(b), static_cast<float>(std::ldexp(1.0, -bits))};
}

float product_scale(double scale) {
  int exponent = 0;
  const double mantissa = std::frexp(scale, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(mantissa * 256), exponent - 8));
}

}  // namespace coco::compiler
