// Purpose: calibration samples for the compiler from the trainer's pictures.
#pragma once

#include <vector>

#include "coco/compile.h"
#include "tune/dataset.h"

namespace coco::tune {

/// `count` aligned crops, the same ones each time, of up to `side` LR pixels a side, with the HR crops as targets.
/// Crops of pictures that are smaller are as large as the picture.
std::vector<CalibrationSample> calibration_samples(const std::vector<ImagePair>& images, int count, int side);

}  // namespace coco::tune
