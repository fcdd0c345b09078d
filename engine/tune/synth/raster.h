// Purpose: triangles to pixels on the CPU: a depth test and, for every pixel, which triangle is seen where. Shading is
// the caller's.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

namespace coco::synth {

/// A vertex on the screen: pixels (0, 0) at the upper left corner, pixel centres at halves, and how near it is: any
/// value that is affine on the screen and grows towards the viewer (1 / distance of a perspective, -distance of a
/// parallel projection).
struct ScreenVertex {
  float x, y, nearness;
};

/// Depths alone: shadows and what sees what.
class DepthImage {
 public:
  DepthImage(int width, int height);
  void clear();
  /// One-sided: backs are left out, see VisibleImage.
  void draw(std::span<const ScreenVertex> vertices, std::span<const cv::Vec3i> triangles, bool both_sides);
  /// The nearest surface at a pixel; lowest() where there is none or outside.
  float at(float x, float y) const;
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  int width_, height_;
  std::vector<float> nearness_;
};

/// What a pixel shows: a triangle's number and the weights of its second and third corner, perspective undone.
struct Seen {
  static constexpr uint32_t kNothing = 0xFFFFFFFFu;
  uint32_t triangle = kNothing;
  float second = 0, third = 0;
};

class VisibleImage {
 public:
  VisibleImage(int width, int height);
  void clear();
  /// Draws triangles whose numbers begin at `first`. `nearness` must be 1 / distance. One-sided: corners that run
  /// clockwise on the screen (which has y downwards) are backs and left out, unless `both_sides`.
  void draw(std::span<const ScreenVertex> vertices, std::span<const cv::Vec3i> triangles, uint32_t first,
            bool both_sides);
  const Seen* row(int y) const { return seen_.data() + static_cast<size_t>(y) * static_cast<size_t>(width_); }
  float nearness(int x, int y) const {
    return nearness_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
  }
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  int width_, height_;
  std::vector<float> nearness_;
  std::vector<Seen> seen_;
};

}  // namespace coco::synth
