// Purpose: the crops of coco/face.h for OpenCV's pictures.
#pragma once

#include <opencv2/core.hpp>
#include <span>

#include "coco/face.h"

namespace coco::tune {

using FaceCrop = vision::SquareCrop;

/// vision::crop_from_landmarks of OpenCV's points.
FaceCrop crop_of(std::span<const cv::Point2f> landmarks);

/// vision::to_crop as OpenCV's matrix.
cv::Matx23f crop_matrix(const FaceCrop& crop, int size);

}  // namespace coco::tune
