#include "tune/qat/calibration.h"

#include <algorithm>

namespace coco::tune {
namespace {

/// Samples k * (1 / 255), as the engine reads them.
FloatTensor crop(const quality::Plane8& plane, int x, int y, int width, int height) {
  FloatTensor tensor{Shape{1, 1, height, width}, {}};
  for (int row = y; row < y + height; ++row) {
    const uint8_t* from = plane.data.data() + static_cast<size_t>(row) * static_cast<size_t>(plane.width) + x;
    for (int i = 0; i < width; ++i) tensor.data.push_back(static_cast<float>(from[i]) * (1.0f / 255.0f));
  }
  return tensor;
}

}  // namespace

std::vector<CalibrationSample> calibration_samples(const std::vector<ImagePair>& images, int count, int side) {
  std::vector<CalibrationSample> samples;
  Random random(1);
  const auto place = [&](int length, int part) {
    return static_cast<int>(random.below(static_cast<uint32_t>(length - part + 1)));
  };
  for (int i = 0; i < count && !images.empty(); ++i) {
    const ImagePair& image = images[static_cast<size_t>(i) * images.size() / static_cast<size_t>(count)];
    const int scale = image.hr.width / image.lr.width;
    const int width = std::min(side, image.lr.width), height = std::min(side, image.lr.height);
    const int x = place(image.lr.width, width), y = place(image.lr.height, height);
    samples.push_back(
        {{crop(image.lr, x, y, width, height)}, crop(image.hr, x * scale, y * scale, width * scale, height * scale)});
  }
  return samples;
}

}  // namespace coco::tune
