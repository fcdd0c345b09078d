// Purpose: how near a compiled model comes to the same model in f32 as it was imported.
// Ownership: results own what they hold.
// Threads: the main thread.
// Failure: a model that cannot be run on the samples is an error; both models have the same inputs and outputs.
#pragma once

#include <string>
#include <vector>

#include "coco/compile.h"
#include "coco/session.h"

namespace coco::cli {

/// The ratio in dB that stands for no difference at all.
inline constexpr double kNoNoise = 200;

struct OutputAccuracy {
  std::string name;
  double snr_db = 0;  ///< power of the f32 result about its mean over that of the difference; at most kNoNoise
  double cosine = 0;
};

struct Accuracy {
  std::string samples;                  ///< what the models were run on
  std::vector<OutputAccuracy> outputs;  ///< those that are f32
};

/// Runs both on the samples, a few of many; without any on noise from 0 to 1 of a fixed seed at these shapes.
Result<Accuracy> compare_models(const std::shared_ptr<const Model>& f32, const std::shared_ptr<const Model>& compiled,
                                const std::vector<CalibrationSample>& samples, std::span<const Shape> shapes,
                                const SessionOptions& options);

}  // namespace coco::cli
