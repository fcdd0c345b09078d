#include <algorithm>
#include <cmath>

#include "quality/quality.h"

namespace coco::quality {

Plane8 luma_from_rgb(const uint8_t* rgb, int width, int height) {
  COCO_CHECK(width >= 0 && height >= 0, "a plane has no negative size");
  Plane8 out{width, height, {}};
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  out.data.resize(pixels);
  // Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255: always within 16..235.
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* p = rgb + 3 * i;
    const double y = 16.0 + (65.481 * p[0] + 128.553 * p[1] + 24.966 * p[2]) / 255.0;
    out.data[i] = static_cast<uint8_t>(std::floor(y + 0.5));
  }
  return out;
}

Plane8 crop_to_multiple(const Plane8& plane, int multiple) {
  COCO_CHECK(multiple >= 1, "a size is a multiple of something positive");
  Plane8 out{plane.width - plane.width % multiple, plane.height - plane.height % multiple, {}};
  out.data.resize(static_cast<size_t>(out.width) * static_cast<size_t>(out.height));
  for (int y = 0; y < out.height; ++y) {
    const auto row = plane.data.begin() + static_cast<ptrdiff_t>(y) * plane.width;
    std::copy(row, row + out.width, out.data.begin() + static_cast<ptrdiff_t>(y) * out.width);
  }
  return out;
}

}  // namespace coco::quality
