// Purpose: how long the engine takes for a network on this machine, measured.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "tune/dataset.h"

namespace coco::jobs {

struct EngineTimeOptions {
  int width = 1920, height = 1080;  ///< of the input
  int threads = 0;                  ///< 0: all cores
  int runs = 15;                    ///< the fastest one counts
};

/// Milliseconds a frame for a serialised ONNX upscaler, compiled to integers, luma alone. Crops of the pictures
/// calibrate it.
Result<double> engine_milliseconds(const std::string& onnx, const std::vector<tune::ImagePair>& pictures,
                                   const EngineTimeOptions& options);

}  // namespace coco::jobs
