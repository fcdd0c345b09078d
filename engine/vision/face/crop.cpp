#include <algorithm>
#include <cmath>
#include <numbers>

#include "coco/face.h"

namespace coco::vision {
namespace {

constexpr float kRadians = std::numbers::pi_v<float> / 180;
constexpr float kMargin = 1.5f;

PointF mean(std::span<const PointF> points, size_t first, size_t last) {
  PointF sum;
  for (size_t i = first; i < last; ++i) {
    sum.x += points[i].x;
    sum.y += points[i].y;
  }
  const auto count = static_cast<float>(last - first);
  return {sum.x / count, sum.y / count};
}

/// Colours from samples: y + what the chroma adds, all in 0..1.
struct ColourTerms {
  float y_scale, y_offset, c_scale, c_offset;
  float red_v, green_u, green_v, blue_u;
};

ColourTerms terms_of(const FrameColour& colour, SampleType type) {
  float kr = 0.2126f, kb = 0.0722f;
  if (colour.matrix == FrameColour::Matrix::kBt601) kr = 0.299f, kb = 0.114f;
  if (colour.matrix == FrameColour::Matrix::kBt2020) kr = 0.2627f, kb = 0.0593f;
  const float kg = 1 - kr - kb, top = static_cast<float>(max_value(type));
  const float unit = type == SampleType::kU8 ? 1.0f : 4.0f;
  ColourTerms t{};
  if (colour.full_range) {
    t.y_scale = t.c_scale = 1 / top;
    t.y_offset = 0;
  } else {
    t.y_scale = 1 / (219 * unit);
    t.c_scale = 1 / (224 * unit);
    t.y_offset = 16 * unit;
  }
  t.c_offset = 128 * unit;
  t.red_v = 2 * (1 - kr);
  t.blue_u = 2 * (1 - kb);
  t.green_u = -2 * kb * (1 - kb) / kg;
  t.green_v = -2 * kr * (1 - kr) / kg;
  return t;
}

/// A plane that is read between its samples; `step` samples lie between neighbours (2 where chroma is interleaved).
template <typename T>
class PlaneReader {
 public:
  PlaneReader(const void* data, ptrdiff_t stride, int width, int height, int step, int first, int shift)
      : data_(static_cast<const uint8_t*>(data)),
        stride_(stride),
        width_(width),
        height_(height),
        step_(step),
        first_(first),
        shift_(shift) {}

  /// `x`, `y`: pixel centres at halves.
  float at(float x, float y) const {
    x = std::clamp(x - 0.5f, 0.0f, static_cast<float>(width_ - 1));
    y = std::clamp(y - 0.5f, 0.0f, static_cast<float>(height_ - 1));
    const int column = std::min(static_cast<int>(x), std::max(0, width_ - 2));
    const int row = std::min(static_cast<int>(y), std::max(0, height_ - 2));
    const float u = x - static_cast<float>(column), v = y - static_cast<float>(row);
    const int right = std::min(column + 1, width_ - 1), below = std::min(row + 1, height_ - 1);
    const float upper = sample(column, row) * (1 - u) + sample(right, row) * u;
    const float lower = sample(column, below) * (1 - u) + sample(right, below) * u;
    return upper * (1 - v) + lower * v;
  }

 private:
  float sample(int x, int y) const {
    const T* row = reinterpret_cast<const T*>(data_ + stride_ * y);
    return static_cast<float>(row[x * step_ + first_] >> shift_);
  }
  const uint8_t* data_;
  ptrdiff_t stride_;
  int width_, height_, step_, first_, shift_;
};

template <typename T>
void sample(const FrameView& frame, const FrameColour& colour, const SquareCrop& crop, int size, bool bgr, float scale,
            float* planes) {
  const SampleType type = sample_type(frame.format);
  const int shift = type == SampleType::kU16Msb10 ? 6 : 0, count = plane_count(frame.format);
  const int half_width = (frame.width + 1) / 2, half_height = (frame.height + 1) / 2, step = count == 2 ? 2 : 1;
  const PlaneReader<T> luma(frame.data[0], frame.stride[0], frame.width, frame.height, 1, 0, shift);
  const size_t second = count == 3 ? 2 : 1;
  const PlaneReader<T> blue(frame.data[1], frame.stride[1], half_width, half_height, step, 0, shift);
  const PlaneReader<T> red(frame.data[second], frame.stride[second], half_width, half_height, step, count == 2 ? 1 : 0,
                           shift);
  const ColourTerms t = terms_of(colour, type);
  const float c = std::cos(crop.roll * kRadians), s = std::sin(crop.roll * kRadians);
  const float pixel = crop.side / static_cast<float>(size);
  // As many samples a pixel as it covers, so that large faces are not read with gaps.
  const int steps = std::clamp(static_cast<int>(std::lround(pixel)), 1, 8);
  const auto area = static_cast<size_t>(size) * static_cast<size_t>(size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      float sum = 0;
      for (int j = 0; j < steps; ++j) {
        for (int i = 0; i < steps; ++i) {
          const float u = (static_cast<float>(x) + (static_cast<float>(i) + 0.5f) / static_cast<float>(steps)) * pixel -
                          crop.side / 2;
          const float v = (static_cast<float>(y) + (static_cast<float>(j) + 0.5f) / static_cast<float>(steps)) * pixel -
                          crop.side / 2;
          sum += luma.at(crop.centre.x + c * u + s * v, crop.centre.y - s * u + c * v);
        }
      }
      const float grey = (sum / static_cast<float>(steps * steps) - t.y_offset) * t.y_scale;
      float r = grey, g = grey, b = grey;
      if (count > 1) {
        const float u = (static_cast<float>(x) + 0.5f) * pixel - crop.side / 2;
        const float v = (static_cast<float>(y) + 0.5f) * pixel - crop.side / 2;
        const float px = (crop.centre.x + c * u + s * v) / 2, py = (crop.centre.y - s * u + c * v) / 2;
        const float cb = (blue.at(px, py) - t.c_offset) * t.c_scale, cr = (red.at(px, py) - t.c_offset) * t.c_scale;
        r += t.red_v * cr;
        g += t.green_u * cb + t.green_v * cr;
        b += t.blue_u * cb;
      }
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size) + static_cast<size_t>(x);
      planes[at] = scale * std::clamp(bgr ? b : r, 0.0f, 1.0f);
      planes[area + at] = scale * std::clamp(g, 0.0f, 1.0f);
      planes[2 * area + at] = scale * std::clamp(bgr ? r : b, 0.0f, 1.0f);
    }
  }
}

}  // namespace

SquareCrop crop_from_landmarks(std::span<const PointF> landmarks) {
  const PointF right = mean(landmarks, 36, 42), left = mean(landmarks, 42, 48);
  SquareCrop crop;
  crop.roll = -std::atan2(left.y - right.y, left.x - right.x) / kRadians;
  const float c = std::cos(crop.roll * kRadians), s = std::sin(crop.roll * kRadians);
  // In the head's directions: x along the eyes, y down.
  PointF low{1e9f, 1e9f}, high{-1e9f, -1e9f};
  for (const PointF& p : landmarks) {
    const PointF q{c * p.x - s * p.y, s * p.x + c * p.y};
    low = {std::min(low.x, q.x), std::min(low.y, q.y)};
    high = {std::max(high.x, q.x), std::max(high.y, q.y)};
  }
  const PointF middle{(low.x + high.x) / 2, (low.y + high.y) / 2};
  crop.centre = {c * middle.x + s * middle.y, -s * middle.x + c * middle.y};
  crop.side = kMargin * std::max({high.x - low.x, high.y - low.y, 1.0f});
  return crop;
}

SquareCrop crop_from_points(std::span<const PointF> points) {
  const PointF eyes = mean(points, 0, 2), mouth = mean(points, 3, 5);
  const float apart = std::hypot(points[1].x - points[0].x, points[1].y - points[0].y);
  const float down = std::hypot(mouth.x - eyes.x, mouth.y - eyes.y);
  SquareCrop crop;
  crop.roll = -std::atan2(points[1].y - points[0].y, points[1].x - points[0].x) / kRadians;
  // Proportions of the average head: eyes 6.4 cm apart, the mouth 7 cm below them, landmarks over 14 cm, their middle
  // two thirds of the way from the eyes to the mouth. From the side the eyes are nearer to each other.
  crop.side = std::max({kMargin * 2.2f * apart, kMargin * 2.0f * down, 1.0f});
  crop.centre = {eyes.x + 0.67f * (mouth.x - eyes.x), eyes.y + 0.67f * (mouth.y - eyes.y)};
  return crop;
}

std::array<float, 6> to_crop(const SquareCrop& crop, int size) {
  const float scale = static_cast<float>(size) / crop.side, half = 0.5f * static_cast<float>(size);
  const float c = scale * std::cos(crop.roll * kRadians), s = scale * std::sin(crop.roll * kRadians);
  return {c, -s, half - c * crop.centre.x + s * crop.centre.y, s, c, half - s * crop.centre.x - c * crop.centre.y};
}

void sample_crop(const FrameView& frame, const FrameColour& colour, const SquareCrop& crop, int size, bool bgr,
                 float scale, float* planes) {
  if (sample_type(frame.format) == SampleType::kU8)
    sample<uint8_t>(frame, colour, crop, size, bgr, scale, planes);
  else
    sample<uint16_t>(frame, colour, crop, size, bgr, scale, planes);
}

}  // namespace coco::vision
