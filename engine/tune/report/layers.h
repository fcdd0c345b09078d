// Purpose: what became of each convolution of a model: how many of its weights are 0, and how well integers follow f32.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coco/status.h"
#include "tune/dataset.h"

namespace coco::tune {

struct LayerFacts {
  std::string name;
  size_t weights = 0, zeros = 0;
  std::optional<double> snr_db;  ///< of the integer layer against f32; none: it stays f32
};

struct ModelLayers {
  std::string name;
  std::vector<LayerFacts> layers;
  std::string note;  ///< why there are no integers, or what they cost on the calibration crops
};

/// Compiles the ONNX file to f32 and, calibrated on crops of `images`, to int8. A model that cannot be integer has a
/// note instead of SNRs.
Result<ModelLayers> inspect_layers(const std::string& name, const std::string& onnx,
                                   const std::vector<ImagePair>& images);

}  // namespace coco::tune
