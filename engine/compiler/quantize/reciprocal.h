// Purpose: the step of a Quantize as ONNX writes it (a scale to divide by), and its multiplier from that step.
#pragma once

#include <cstdint>
#include <optional>

namespace coco::compiler {

/// Of the numbers whose reciprocal rounds to `step` the one with the fewest significant bits (1/255 gives 255); the
/// rounded reciprocal where there is none.
float multiplier_of_step(float step);

/// The step with multiplier_of_step(step) == multiplier; nullopt where no f32 is.
std::optional<float> step_of_multiplier(float multiplier);

/// The slope with float(scale * slope) == negative that lies nearest to negative / scale; nullopt where no f32 is.
std::optional<float> slope_between(float scale, float negative);

/// Whole factors and a power of two: a / out is about a_factor * scale, b / out b_factor * scale; the larger factor is
/// 16384 to 32767. Powers of two let f32 engines compute the same from steps to divide by.
struct SumFactors {
  int64_t a = 0, b = 0;
  float scale = 1;
};
SumFactors sum_factors(double a, double b, double out);

/// The nearest f32 of 8 significant bits: its product with a product of two differences of bytes is exact.
float product_scale(double scale);

}  // namespace coco::compiler
