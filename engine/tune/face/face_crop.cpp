#include "tune/face/face_crop.h"

#include <vector>

namespace coco::tune {

FaceCrop crop_of(std::span<const cv::Point2f> landmarks) {
  std::vector<vision::PointF> points;
  for (const cv::Point2f& p : landmarks) points.push_back({p.x, p.y});
  return vision::crop_from_landmarks(points);
}

cv::Matx23f crop_matrix(const FaceCrop& crop, int size) {
  const std::array<float, 6> rows = vision::to_crop(crop, size);
  return {rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]};
}

}  // namespace coco::tune
