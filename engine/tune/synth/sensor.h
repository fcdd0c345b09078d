// Purpose: what a camera does to light before it is a picture.
#pragma once

#include "tune/synth/scene.h"

namespace coco::synth {

/// Linear light (CV_32FC3, red first) to a picture (CV_8UC3, BGR, sRGB): defocus, motion, noise, JPEG. `light` is
/// scratch afterwards.
cv::Mat expose(cv::Mat& light, const Sensor& sensor, uint64_t seed);

}  // namespace coco::synth
