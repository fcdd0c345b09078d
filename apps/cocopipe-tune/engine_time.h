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
/// calibrate it. Of one thread it is the processor time, which is the frame's time on an idle machine whatever else
/// runs; of several it is the time that passes.
Result<double> engine_milliseconds(const std::string& onnx, const std::vector<tune::ImagePair>& pictures,
                                   const EngineTimeOptions& options);

}  // namespace coco::jobs
