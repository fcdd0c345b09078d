#include "tune/synth/raster.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace coco::synth {
namespace {

constexpr float kFar = std::numeric_limits<float>::lowest();

/// Calls pixel(index, weight1, weight2, nearness) for every pixel centre inside the triangle.
template <typename Pixel>
void each_pixel(const ScreenVertex& a, const ScreenVertex& b, const ScreenVertex& c, int width, int height,
                bool both_sides, const Pixel& pixel) {
  const float area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
  if (area == 0 || (area > 0 && !both_sides) || !std::isfinite(area)) return;
  const float low_x = std::min({a.x, b.x, c.x}), high_x = std::max({a.x, b.x, c.x});
  const float low_y = std::min({a.y, b.y, c.y}), high_y = std::max({a.y, b.y, c.y});
  if (high_x < 0 || high_y < 0 || low_x > static_cast<float>(width) || low_y > static_cast<float>(height)) return;
  const int x0 = std::max(0, static_cast<int>(std::ceil(low_x - 0.5f)));
  const int x1 = std::min(width - 1, static_cast<int>(std::floor(high_x - 0.5f)));
  const int y0 = std::max(0, static_cast<int>(std::ceil(low_y - 0.5f)));
  const int y1 = std::min(height - 1, static_cast<int>(std::floor(high_y - 0.5f)));
  if (x0 > x1 || y0 > y1) return;
  const float scale = 1 / area;
  // Weights of b and c are affine: w(x, y) = w(x0, y0) + dx * (x - x0) + dy * (y - y0).
  const float b_dx = (c.y - a.y) * scale, b_dy = -(c.x - a.x) * scale;
  const float c_dx = -(b.y - a.y) * scale, c_dy = (b.x - a.x) * scale;
  const float from_x = static_cast<float>(x0) + 0.5f - a.x, from_y = static_cast<float>(y0) + 0.5f - a.y;
  const float near_b = b.nearness - a.nearness, near_c = c.nearness - a.nearness;
  for (int y = y0; y <= y1; ++y) {
    const float step = static_cast<float>(y - y0);
    float wb = b_dx * from_x + b_dy * (from_y + step), wc = c_dx * from_x + c_dy * (from_y + step);
    const size_t line = static_cast<size_t>(y) * static_cast<size_t>(width);
    for (int x = x0; x <= x1; ++x, wb += b_dx, wc += c_dx) {
      if (wb < 0 || wc < 0 || wb + wc > 1) continue;
      pixel(line + static_cast<size_t>(x), wb, wc, a.nearness + near_b * wb + near_c * wc);
    }
  }
}

}  // namespace

DepthImage::DepthImage(int width, int height)
    : width_(width), height_(height), nearness_(static_cast<size_t>(width) * static_cast<size_t>(height), kFar) {}

void DepthImage::clear() { std::fill(nearness_.begin(), nearness_.end(), kFar); }

void DepthImage::draw(std::span<const ScreenVertex> vertices, std::span<const cv::Vec3i> triangles, bool both_sides) {
  for (const cv::Vec3i& t : triangles) {
    each_pixel(vertices[static_cast<size_t>(t[0])], vertices[static_cast<size_t>(t[1])],
               vertices[static_cast<size_t>(t[2])], width_, height_, both_sides,
               [&](size_t i, float, float, float nearness) { nearness_[i] = std::max(nearness_[i], nearness); });
  }
}

float DepthImage::at(float x, float y) const {
  const int column = static_cast<int>(std::floor(x)), row = static_cast<int>(std::floor(y));
  if (column < 0 || row < 0 || column >= width_ || row >= height_) return kFar;
  return nearness_[static_cast<size_t>(row) * static_cast<size_t>(width_) + static_cast<size_t>(column)];
}

VisibleImage::VisibleImage(int width, int height)
    : width_(width),
      height_(height),
      nearness_(static_cast<size_t>(width) * static_cast<size_t>(height), 0),
      seen_(nearness_.size()) {}

void VisibleImage::clear() {
  std::fill(nearness_.begin(), nearness_.end(), 0.0f);
  std::fill(seen_.begin(), seen_.end(), Seen{});
}

void VisibleImage::draw(std::span<const ScreenVertex> vertices, std::span<const cv::Vec3i> triangles, uint32_t first,
                        bool both_sides) {
  for (size_t n = 0; n < triangles.size(); ++n) {
    const cv::Vec3i& t = triangles[n];
    const ScreenVertex& a = vertices[static_cast<size_t>(t[0])];
    const ScreenVertex& b = vertices[static_cast<size_t>(t[1])];
    const ScreenVertex& c = vertices[static_cast<size_t>(t[2])];
    if (a.nearness <= 0 || b.nearness <= 0 || c.nearness <= 0) continue;  // Behind the camera.
    const uint32_t number = first + static_cast<uint32_t>(n);
    each_pixel(a, b, c, width_, height_, both_sides, [&](size_t i, float wb, float wc, float nearness) {
      if (nearness <= nearness_[i]) return;
      nearness_[i] = nearness;
      // Attributes are affine in space: weights over distance are affine on the screen.
      const float distance = 1 / nearness;
      seen_[i] = {number, wb * b.nearness * distance, wc * c.nearness * distance};
    });
  }
}

}  // namespace coco::synth
