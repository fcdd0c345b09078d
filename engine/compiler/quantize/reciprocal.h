// Purpose: the step of a Quantize as ONNX writes it (a scale to divide by), and its multiplier from that step.
#pragma once

#include <optional>

namespace coco::compiler {

/// Of the numbers whose reciprocal rounds to `step` the one with the fewest significant bits (1/255 gives 255); the
/// rounded reciprocal where there is none.
float multiplier_of_step(float step);

/// The step with multiplier_of_step(step) == multiplier; nullopt where no f32 is.
std::optional<float> step_of_multiplier(float multiplier);

/// The slope with float(scale * slope) == negative that lies nearest to negative / scale; nullopt where no f32 is.
std::optional<float> slope_between(float scale, float negative);

}  // namespace coco::compiler
