#include "vision/disclosure/label_mask.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

namespace coco::vision {
namespace {

struct Point {
  float x, y;
};
/// Strokes of a sign in a box one high: polylines, one after the other.
struct Sign {
  float width;
  std::vector<std::vector<Point>> strokes;
};

/// A bow from one angle to another, in degrees, y downwards.
std::vector<Point> bow(float x, float y, float rx, float ry, float from, float to) {
  std::vector<Point> points;
  constexpr int kSteps = 16;
  for (int i = 0; i <= kSteps; ++i) {
    const float angle = (from + (to - from) * static_cast<float>(i) / kSteps) * 0.01745329f;
    points.push_back({x + rx * std::cos(angle), y + ry * std::sin(angle)});
  }
  return points;
}

Sign sign_of(char32_t c) {
  switch (c) {
    case 'A':
      return {0.76f, {{{0, 1}, {0.38f, 0}, {0.76f, 1}}, {{0.14f, 0.66f}, {0.62f, 0.66f}}}};
    case 'I':
      return {0.1f, {{{0.05f, 0}, {0.05f, 1}}}};
    case 'M':
      return {0.84f, {{{0.04f, 1}, {0.04f, 0}, {0.42f, 0.68f}, {0.8f, 0}, {0.8f, 1}}}};
    case 'O':
      return {0.86f, {bow(0.43f, 0.5f, 0.41f, 0.5f, 0, 360)}};
    case 'D': {
      std::vector<Point> back = bow(0.3f, 0.5f, 0.4f, 0.5f, -90, 90);
      back.insert(back.begin(), {0.05f, 0});
      back.push_back({0.05f, 1});
      return {0.72f, {back, {{0.05f, 0}, {0.05f, 1}}}};
    }
    case 'F':
      return {0.56f, {{{0.05f, 1}, {0.05f, 0}, {0.56f, 0}}, {{0.05f, 0.48f}, {0.48f, 0.48f}}}};
    case 'E':
      return {0.58f, {{{0.58f, 0}, {0.05f, 0}, {0.05f, 1}, {0.58f, 1}}, {{0.05f, 0.48f}, {0.5f, 0.48f}}}};
    case U'换':
      return {1.05f,
              {{{0.02f, 0.26f}, {0.36f, 0.26f}},
               {{0.2f, 0.0f}, {0.2f, 0.93f}, {0.1f, 0.86f}},
               {{0.02f, 0.66f}, {0.36f, 0.52f}},
               {{0.6f, 0.0f}, {0.52f, 0.14f}, {0.4f, 0.27f}},
               {{0.57f, 0.1f}, {0.82f, 0.1f}, {0.72f, 0.27f}},
               {{0.48f, 0.58f}, {0.48f, 0.3f}, {0.93f, 0.3f}, {0.93f, 0.58f}},
               {{0.38f, 0.6f}, {1.04f, 0.6f}},
               {{0.7f, 0.3f}, {0.69f, 0.62f}, {0.58f, 0.84f}, {0.38f, 0.99f}},
               {{0.72f, 0.64f}, {0.84f, 0.86f}, {1.04f, 0.99f}}}};
    case U'脸':
      return {1.05f,
              {{{0.1f, 0.04f}, {0.1f, 0.6f}, {0.02f, 0.98f}},
               {{0.1f, 0.04f}, {0.35f, 0.04f}, {0.35f, 0.97f}, {0.26f, 0.94f}},
               {{0.1f, 0.34f}, {0.35f, 0.34f}},
               {{0.1f, 0.64f}, {0.35f, 0.64f}},
               {{0.73f, 0.0f}, {0.6f, 0.2f}, {0.43f, 0.36f}},
               {{0.73f, 0.0f}, {0.87f, 0.2f}, {1.05f, 0.34f}},
               {{0.6f, 0.42f}, {0.88f, 0.42f}},
               {{0.5f, 0.56f}, {0.57f, 0.78f}},
               {{0.73f, 0.54f}, {0.76f, 0.76f}},
               {{0.97f, 0.54f}, {0.85f, 0.86f}},
               {{0.45f, 0.95f}, {1.04f, 0.95f}}}};
    default:
      return {0.4f, {}};  // A space.
  }
}

float distance_to(const Point& p, const Point& a, const Point& b) {
  const float dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const float t = square > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / square, 0.0f, 1.0f) : 0.0f;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

uint8_t level(float share) { return static_cast<uint8_t>(std::lround(255 * std::clamp(share, 0.0f, 1.0f))); }

/// Draws a stroke of half width `half` pixels.
void draw_stroke(LabelMask& mask, std::span<const Point> stroke, float half) {
  for (size_t i = 0; i + 1 < stroke.size(); ++i) {
    const Point &a = stroke[i], &b = stroke[i + 1];
    const int x0 = std::max(0, static_cast<int>(std::min(a.x, b.x) - half - 1));
    const int x1 = std::min(mask.width - 1, static_cast<int>(std::max(a.x, b.x) + half + 1));
    const int y0 = std::max(0, static_cast<int>(std::min(a.y, b.y) - half - 1));
    const int y1 = std::min(mask.height - 1, static_cast<int>(std::max(a.y, b.y) + half + 1));
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) {
        const float d = distance_to({static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f}, a, b);
        uint8_t& m = mask.letters[static_cast<size_t>(y) * static_cast<size_t>(mask.width) + static_cast<size_t>(x)];
        m = std::max(m, level(half + 0.5f - d));
      }
    }
  }
}

constexpr float kGap = 0.26f;  // Between signs, in capitals' heights.
constexpr float kBorder = 0.55f;
constexpr float kLead = 0.5f;  // Between the lines.

float line_width(std::u32string_view line) {
  float width = -kGap;
  for (const char32_t c : line) width += sign_of(c).width + kGap;
  return width;
}

}  // namespace

LabelMask draw_label(int cap) {
  constexpr std::u32string_view kLines[] = {U"AI MODIFIED", U"AI 换脸"};
  const auto size = static_cast<float>(cap);
  float widest = 0;
  for (const auto line : kLines) widest = std::max(widest, line_width(line));
  LabelMask mask;
  mask.width = (static_cast<int>(std::ceil((widest + 2 * kBorder) * size)) + 1) & ~1;
  mask.height = (static_cast<int>(std::ceil((2 + kLead + 2 * kBorder) * size)) + 1) & ~1;
  const size_t pixels = static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height);
  mask.plate.assign(pixels, 0);
  mask.letters.assign(pixels, 0);
  const float radius = 0.35f * size;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
      const float dx = std::max({radius - px, px - static_cast<float>(mask.width) + radius, 0.0f});
      const float dy = std::max({radius - py, py - static_cast<float>(mask.height) + radius, 0.0f});
      mask.plate[static_cast<size_t>(y) * static_cast<size_t>(mask.width) + static_cast<size_t>(x)] =
          level(radius + 0.5f - std::hypot(dx, dy));
    }
  }
  float top = kBorder * size;
  for (const auto line : kLines) {
    float left = (kBorder + (widest - line_width(line)) / 2) * size;
    for (const char32_t c : line) {
      const Sign sign = sign_of(c);
      const bool dense = sign.strokes.size() > 6;  // Thinner strokes for signs of many.
      for (const auto& stroke : sign.strokes) {
        std::vector<Point> placed;
        placed.reserve(stroke.size());
        for (const Point& p : stroke) placed.push_back({left + p.x * size, top + p.y * size});
        draw_stroke(mask, placed, std::max(0.5f, (dense ? 0.045f : 0.075f) * size));
      }
      left += (sign.width + kGap) * size;
    }
    top += (1 + kLead) * size;
  }
  return mask;
}

}  // namespace coco::vision
