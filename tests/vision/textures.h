// Purpose: pictures of the vision tests as planes and frames.
#pragma once

#include <cmath>
#include <cstdint>

#include "quality/quality.h"
#include "tests/vision/frames.h"

namespace coco::vision {

inline double distance(double x, double y, double cx, double cy) { return std::hypot(x - cx, y - cy); }

// Moving-picture-like texture: rings, edges at many angles, fine stripes, a soft gradient.
inline quality::Plane8 texture(int width, int height) {
  quality::Plane8 plane{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double v = 90 + 40.0 * x / width + 20.0 * y / height;
      v += 35 * std::tanh(2 * std::sin(distance(x, y, 0.3 * width, 0.4 * height) * 0.35));
      v += std::sin(0.9 * x + 0.5 * y) * 12;
      if ((x * 3 + y * 7) / 60 % 2 == 0 && x > width / 2) v += 45;
      if (std::fabs(distance(x, y, 0.75 * width, 0.6 * height) - 30) < 2.5) v -= 70;
      plane.data.push_back(static_cast<uint8_t>(std::lround(std::fmin(std::fmax(v, 0), 255))));
    }
  }
  return plane;
}

inline TestFrame gray_frame(const quality::Plane8& plane) {
  TestFrame frame(PixelFormat::kGray8, plane.width, plane.height);
  frame.fill([&](int, int x, int y) { return plane.data[static_cast<size_t>(y) * plane.width + x]; });
  return frame;
}

inline quality::Plane8 plane_of(const TestFrame& frame) {
  quality::Plane8 plane{frame.width(0), frame.height(0), {}};
  for (const int value : frame.values(0)) plane.data.push_back(static_cast<uint8_t>(value));
  return plane;
}

}  // namespace coco::vision
