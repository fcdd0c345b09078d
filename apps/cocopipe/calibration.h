// Purpose: calibration samples for the compiler: crops of pictures, or of the built-in clip.
// Ownership: results own their samples.
// Threads: calls are independent.
// Failure: one line that names the folder and what is missing in it.
#pragma once

#include <string>
#include <vector>

#include "coco/compile.h"
#include "coco/model.h"

namespace coco::cli {

/// Crops of the folder's PNG and JPEG pictures, or of the built-in clip's frames when `folder` is empty; the same ones
/// each time. The model takes one picture: luma (1 channel) or RGB (3), from 0 to `white`, and scales it by `scale`.
/// Upscalers get the crops shrunk by the literature's bicubic, and the crops themselves as targets.
Result<std::vector<CalibrationSample>> calibration_samples(const std::string& folder, const Model& model, int scale,
                                                           float white = 1);

}  // namespace coco::cli
