#include "tune/synth/sensor.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/random.h"
#include "tune/synth/shading.h"

namespace coco::synth {
namespace {

/// A line of weights along the motion, each point shared by the four pixels around it.
cv::Mat motion_kernel(float x, float y) {
  const int reach = static_cast<int>(std::ceil(std::max(std::abs(x), std::abs(y)) / 2)) + 1;
  cv::Mat kernel(2 * reach + 1, 2 * reach + 1, CV_32F, cv::Scalar(0));
  constexpr int kPoints = 33;
  for (int i = 0; i < kPoints; ++i) {
    const float t = static_cast<float>(i) / (kPoints - 1) - 0.5f;
    const float px = x * t + static_cast<float>(reach), py = y * t + static_cast<float>(reach);
    const int column = static_cast<int>(px), row = static_cast<int>(py);
    const float u = px - static_cast<float>(column), v = py - static_cast<float>(row);
    kernel.at<float>(row, column) += (1 - u) * (1 - v);
    kernel.at<float>(row, column + 1) += u * (1 - v);
    kernel.at<float>(row + 1, column) += (1 - u) * v;
    kernel.at<float>(row + 1, column + 1) += u * v;
  }
  return kernel / kPoints;
}

}  // namespace

cv::Mat expose(cv::Mat& light, const Sensor& sensor, uint64_t seed) {
  if (sensor.defocus > 0) cv::GaussianBlur(light, light, {}, static_cast<double>(sensor.defocus));
  if (std::hypot(sensor.blur_x, sensor.blur_y) > 0.3f) {
    cv::filter2D(light, light, -1, motion_kernel(sensor.blur_x, sensor.blur_y), {-1, -1}, 0, cv::BORDER_REPLICATE);
  }
  cv::Mat picture(light.rows, light.cols, CV_8UC3);
  Random random(seed);
  const float black = sensor.noise * sensor.noise;
  const bool noisy = black > 0 || sensor.shot > 0;
  for (int y = 0; y < light.rows; ++y) {
    const auto* from = light.ptr<cv::Vec3f>(y);
    auto* to = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < light.cols; ++x) {
      uint64_t bits = noisy ? random.next() : 0;
      for (int c = 0; c < 3; ++c, bits >>= 20) {
        float l = from[x][c];
        if (noisy) {
          // Four numbers of five bits: nearly normal, of variance 4 * (32^2 - 1) / 12 = 341.
          const auto sum =
              static_cast<int>((bits & 31) + ((bits >> 5) & 31) + ((bits >> 10) & 31) + ((bits >> 15) & 31));
          l += (static_cast<float>(sum) - 62) * (1 / 18.466f) * std::sqrt(black + sensor.shot * std::max(0.0f, l));
        }
        to[x][2 - c] = code_of_linear(l);
      }
    }
  }
  if (sensor.jpeg > 0) {
    std::vector<uint8_t> bytes;
    cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, sensor.jpeg});
    cv::imdecode(bytes, cv::IMREAD_COLOR, &picture);
  }
  return picture;
}

}  // namespace coco::synth
