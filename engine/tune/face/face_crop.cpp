#include "tune/face/face_crop.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace coco::tune {
namespace {

constexpr float kRadians = std::numbers::pi_v<float> / 180;

cv::Point2f mean(std::span<const cv::Point2f> points, size_t first, size_t last) {
  cv::Point2f sum(0, 0);
  for (size_t i = first; i < last; ++i) sum += points[i];
  return sum / static_cast<float>(last - first);
}

}  // namespace

FaceCrop crop_of(std::span<const cv::Point2f> landmarks) {
  const cv::Point2f eyes = mean(landmarks, 42, 48) - mean(landmarks, 36, 42);
  FaceCrop crop;
  crop.roll = -std::atan2(eyes.y, eyes.x) / kRadians;
  const float c = std::cos(crop.roll * kRadians), s = std::sin(crop.roll * kRadians);
  // In the head's directions: x along the eyes, y down.
  cv::Point2f low(1e9f, 1e9f), high(-1e9f, -1e9f);
  for (const cv::Point2f& p : landmarks) {
    const cv::Point2f q(c * p.x - s * p.y, s * p.x + c * p.y);
    low = {std::min(low.x, q.x), std::min(low.y, q.y)};
    high = {std::max(high.x, q.x), std::max(high.y, q.y)};
  }
  const cv::Point2f middle = (low + high) / 2;
  crop.centre = {c * middle.x + s * middle.y, -s * middle.x + c * middle.y};
  crop.side = kCropMargin * std::max({high.x - low.x, high.y - low.y, 1.0f});
  return crop;
}

cv::Matx23f to_crop(const FaceCrop& crop, int size) {
  const float scale = static_cast<float>(size) / crop.side;
  const float c = scale * std::cos(crop.roll * kRadians), s = scale * std::sin(crop.roll * kRadians);
  const float half = 0.5f * static_cast<float>(size);
  return {c, -s, half - c * crop.centre.x + s * crop.centre.y, s, c, half - s * crop.centre.x - c * crop.centre.y};
}

}  // namespace coco::tune
