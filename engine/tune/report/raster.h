// Purpose: OpenCV's pictures as files.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

Result<std::vector<uint8_t>> encode_png(const cv::Mat& image);

}  // namespace coco::tune
