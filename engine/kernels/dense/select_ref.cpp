// Non-maximum suppression and sampling at given places.
#include <algorithm>
#include <cmath>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

struct Box {
  float top, left, bottom, right;
  float area() const noexcept { return (bottom - top) * (right - left); }
};

Box box_at(const float* v, bool centered) noexcept {
  if (centered) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

// Area in both / area in either; 0 for boxes without area.
float overlap(const Box& a, const Box& b) noexcept {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0) return 0;
  return height * width / (a.area() + b.area() - height * width);
}

}  // namespace

// Greedy: the best box left is selected unless it overlaps one selected before. Without memory of its own: the boxes
// are met in the order of score and index by searching for the next one.
void non_max_suppression_ref(const format::OpParams& params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out, int64_t unit_begin, int64_t unit_end) noexcept {
  if (unit_begin == unit_end) return;
  const auto& p = std::get<format::NonMaxSuppressionParams>(params);
  const int64_t pictures = in[1].shape[0], classes = in[1].shape[1], boxes = in[1].shape[2];
  auto* rows = out[0].as<int64_t>();
  int64_t used = 0;
  for (int64_t task = 0; task < pictures * classes; ++task) {
    const int64_t picture = task / classes, first = used;
    const float* corners = in[0].as<float>() + picture * boxes * 4;
    const float* scores = in[1].as<float>() + task * boxes;
    int64_t last = -1;
    while (used - first < p.most) {
      int64_t best = -1;
      for (int64_t i = 0; i < boxes; ++i) {
        const bool eligible = !std::isnan(scores[i]) && (!p.use_threshold || scores[i] > p.threshold);
        const bool later = last < 0 || scores[i] < scores[last] || (scores[i] == scores[last] && i > last);
        if (eligible && later && (best < 0 || scores[i] > scores[best])) best = i;
      }
      if (best < 0) break;
      last = best;
      const Box box = box_at(corners + best * 4, p.centered);
      const bool free = std::all_of(rows + first * 3, rows + used * 3, [&, k = 0](int64_t index) mutable {
        return k++ % 3 != 2 || overlap(box, box_at(corners + index * 4, p.centered)) <= p.overlap;
      });
      if (!free) continue;
      rows[used * 3] = picture;
      rows[used * 3 + 1] = task % classes;
      rows[used * 3 + 2] = best;
      ++used;
    }
  }
  std::fill(rows + used * 3, rows + out[0].shape.element_count().value_or(0), int64_t{-1});
}

namespace {

// Mirrors x into [low, high], as often as needed.
float reflected(float x, float low, float high) noexcept {
  const float span = high - low;
  if (!(span > 0)) return low;
  const float distance = std::fabs(x - low);
  const float rest = std::fmod(distance, span);
  return std::fmod(std::floor(distance / span), 2.0f) == 0 ? low + rest : high - rest;
}

struct Sampler {
  const format::GridSampleParams& p;
  const float* x;
  int64_t height, width;

  // From -1..1 to pixels.
  float position(float v, int64_t length) const noexcept {
    const auto n = static_cast<float>(length);
    return p.align_corners ? (v + 1) / 2 * (n - 1) : ((v + 1) * n - 1) / 2;
  }
  float folded(float v, int64_t length) const noexcept {
    const auto n = static_cast<float>(length);
    if (p.padding == format::GridPadding::kReflection) {
      v = p.align_corners ? reflected(v, 0, n - 1) : reflected(v, -0.5f, n - 0.5f);
    }
    return p.padding == format::GridPadding::kZeros ? v : std::clamp(v, 0.0f, n - 1);
  }
  float at(int64_t row, int64_t column) const noexcept {
    if (p.padding != format::GridPadding::kZeros) {
      row = static_cast<int64_t>(folded(static_cast<float>(row), height));
      column = static_cast<int64_t>(folded(static_cast<float>(column), width));
    }
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    return x[row * width + column];
  }
  float sample(float u, float v) const noexcept {
    float px = position(u, width), py = position(v, height);
    // What is not a number or far away is outside.
    if (!(std::fabs(px) < 1e9f) || !(std::fabs(py) < 1e9f)) px = py = -1e9f;
    if (p.mode == format::GridMode::kBicubic) return bicubic(px, py);
    px = folded(px, width);
    py = folded(py, height);
    if (p.mode == format::GridMode::kNearest) {
      return at(static_cast<int64_t>(std::nearbyint(py)), static_cast<int64_t>(std::nearbyint(px)));
    }
    const float left = std::floor(px), top = std::floor(py);
    const auto column = static_cast<int64_t>(left), row = static_cast<int64_t>(top);
    const float fx = px - left, fy = py - top;
    return (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1)) +
           fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1));
  }
  // Keys (1981), a = -0.75.
  static float cubic(float t) noexcept {
    constexpr float a = -0.75f;
    t = std::fabs(t);
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
  }
  float bicubic(float px, float py) const noexcept {
    const float left = std::floor(px), top = std::floor(py);
    float sum = 0;
    for (int64_t j = -1; j <= 2; ++j) {
      float line = 0;
      for (int64_t i = -1; i <= 2; ++i) {
        line += cubic(px - left - static_cast<float>(i)) *
                at(static_cast<int64_t>(top) + j, static_cast<int64_t>(left) + i);
      }
      sum += cubic(py - top - static_cast<float>(j)) * line;
    }
    return sum;
  }
};

}  // namespace

// y[n, c, oy, ox] = x[n, c] at grid[n, oy, ox]
void grid_sample_ref(const format::OpParams& params, std::span<const TensorView> in,
                     std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::GridSampleParams>(params);
  const int64_t channels = out[0].shape[1], rows = out[0].shape[2], columns = out[0].shape[3];
  const int64_t height = in[0].shape[2], width = in[0].shape[3];
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Sampler sampler{p, in[0].as<float>() + row / rows * height * width, height, width};
    const float* grid = in[1].as<float>() + (row / rows / channels * rows + row % rows) * columns * 2;
    float* y = out[0].as<float>() + row * columns;
    for (int64_t i = 0; i < columns; ++i) y[i] = sampler.sample(grid[2 * i], grid[2 * i + 1]);
  }
}

}  // namespace coco::kernels
