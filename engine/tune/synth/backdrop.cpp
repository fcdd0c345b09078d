#include "tune/synth/backdrop.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/random.h"
#include "tune/synth/shading.h"

namespace coco::synth {

cv::Mat backdrop(const Assets& assets, const Scene& scene) {
  cv::Mat light(scene.height, scene.width, CV_32FC3);
  Random random(scene.seed);
  const auto& linear = linear_of_code();
  if (scene.background >= 0) {
    const cv::Mat& picture = assets.backgrounds[static_cast<size_t>(scene.background)];
    // Any part of the picture of the scene's shape, at least a third of what fits.
    const double fit =
        std::min(static_cast<double>(picture.cols) / scene.width, static_cast<double>(picture.rows) / scene.height);
    const double scale = fit * (0.33 + 0.67 * random.uniform());
    const int w = std::max(1, static_cast<int>(scene.width * scale)),
              h = std::max(1, static_cast<int>(scene.height * scale));
    const cv::Rect part(static_cast<int>(random.uniform() * (picture.cols - w)),
                        static_cast<int>(random.uniform() * (picture.rows - h)), w, h);
    cv::Mat sized;
    cv::resize(picture(part), sized, light.size(), 0, 0, scale > 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    if (random.uniform() < 0.5) cv::flip(sized, sized, 1);
    if (scene.background_blur > 0) cv::GaussianBlur(sized, sized, {}, static_cast<double>(scene.background_blur));
    for (int y = 0; y < light.rows; ++y) {
      const auto* from = sized.ptr<cv::Vec3b>(y);
      auto* to = light.ptr<Colour>(y);
      for (int x = 0; x < light.cols; ++x) {
        to[x] = Colour(linear[from[x][2]], linear[from[x][1]], linear[from[x][0]]) * scene.background_light;
      }
    }
    return light;
  }
  // A slope between two colours, blotches, and a few bars.
  const auto any = [&] { return static_cast<float>(random.uniform()); };
  const Colour one(any() * any(), any() * any(), any() * any()), two(any() * any(), any() * any(), any() * any());
  const float slope = any() * 6.28f, size = 0.2f + 3 * any(), strength = any();
  for (int y = 0; y < light.rows; ++y) {
    auto* to = light.ptr<Colour>(y);
    for (int x = 0; x < light.cols; ++x) {
      const float u = static_cast<float>(x) / static_cast<float>(light.cols),
                  v = static_cast<float>(y) / static_cast<float>(light.rows);
      const float t = std::clamp(0.5f + (u - 0.5f) * std::cos(slope) + (v - 0.5f) * std::sin(slope), 0.0f, 1.0f);
      const float blotch = 1 + strength * (noise_at(u * 256 / size, v * 256 / size) - 0.5f);
      to[x] = (one + (two - one) * t) * (blotch * scene.background_light);
    }
  }
  for (uint32_t bars = random.below(5); bars > 0; --bars) {
    const auto at = [&](int whole) { return static_cast<int>(any() * static_cast<float>(whole)); };
    cv::rectangle(light, {at(light.cols), at(light.rows)}, {at(light.cols), at(light.rows)},
                  cv::Scalar(any() * any(), any() * any(), any() * any()), any() < 0.5f ? -1 : 1 + at(6));
  }
  if (scene.background_blur > 0) cv::GaussianBlur(light, light, {}, static_cast<double>(scene.background_blur));
  return light;
}

}  // namespace coco::synth
