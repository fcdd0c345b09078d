// Purpose: what people stand before: a part of a photograph, or colours, blotches and bars.
#pragma once

#include "tune/synth/scene.h"

namespace coco::synth {

/// Linear light, CV_32FC3, red first, as large as the scene.
cv::Mat backdrop(const Assets& assets, const Scene& scene);

}  // namespace coco::synth
