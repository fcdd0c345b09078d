// Purpose: which part of a picture a face network is given: an upright square around the landmarks.
#pragma once

#include <opencv2/core.hpp>
#include <span>

namespace coco::tune {

/// A square of the picture. Its up direction is the head's: turned by `roll`.
struct FaceCrop {
  cv::Point2f centre;
  float side = 1;  ///< Pixels of the picture.
  float roll = 0;  ///< Degrees, counterclockwise on the picture.
};

/// The square's side in sizes of the box around the upright landmarks.
inline constexpr float kCropMargin = 1.5f;

/// Upright by the line between the eyes, centred on the landmarks' box. `landmarks`: iBUG's 68.
FaceCrop crop_of(std::span<const cv::Point2f> landmarks);

/// From pixels of the picture to the crop's, size x size: a 2 x 3 matrix.
cv::Matx23f to_crop(const FaceCrop& crop, int size);

}  // namespace coco::tune
