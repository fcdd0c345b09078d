#include "apps/demo/font.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace coco::demo {
namespace {

// Polylines on a grid of 5 x 7 points, "xy" a point, '|' lifts the pen.
struct Glyph {
  char character;
  std::string_view strokes;
};
constexpr Glyph kGlyphs[] = {
    {'A', "06 20 46|14 34"},
    {'B', "00 06 36 45 44 33 03|33 42 41 30 00"},
    {'C', "41 30 10 01 05 16 36 45"},
    {'D', "00 06 26 44 42 20 00"},
    {'E', "40 00 06 46|03 33"},
    {'F', "40 00 06|03 33"},
    {'G', "41 30 10 01 05 16 36 45 43 23"},
    {'H', "00 06|40 46|03 43"},
    {'I', "10 30|20 26|16 36"},
    {'J', "40 45 36 16 05"},
    {'K', "00 06|40 03 46"},
    {'L', "00 06 46"},
    {'M', "06 00 23 40 46"},
    {'N', "06 00 46 40"},
    {'O', "10 30 41 45 36 16 05 01 10"},
    {'P', "06 00 30 41 42 33 03"},
    {'Q', "10 30 41 45 36 16 05 01 10|34 46"},
    {'R', "06 00 30 41 42 33 03|23 46"},
    {'S', "41 30 10 01 02 13 33 44 45 36 16 05"},
    {'T', "00 40|20 26"},
    {'U', "00 05 16 36 45 40"},
    {'V', "00 26 40"},
    {'W', "00 16 23 36 40"},
    {'X', "00 46|40 06"},
    {'Y', "00 23 40|23 26"},
    {'Z', "00 40 06 46"},
    {'0', "10 30 41 45 36 16 05 01 10|14 32"},
    {'1', "11 20 26|16 36"},
    {'2', "01 10 30 41 42 06 46"},
    {'3', "01 10 30 41 42 33 13|33 44 45 36 16 05"},
    {'4', "36 30 04 44"},
    {'5', "40 00 03 33 44 45 36 06"},
    {'6', "30 10 01 05 16 36 45 44 33 03"},
    {'7', "00 40 16"},
    {'8', "10 30 41 42 33 13 02 01 10|13 04 05 16 36 45 44 33"},
    {'9', "43 13 02 01 10 30 41 45 36 16"},
    {'.', "25 26"},
    {',', "25 17"},
    {':', "21 22|25 26"},
    {'-', "13 33"},
    {'/', "06 40"},
    {'+', "13 33|22 24"},
};
constexpr double kGridHeight = 6;
constexpr double kAdvance = 6;
constexpr double kThickness = 0.13;  // of the height

std::string_view strokes_of(char character) {
  const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  for (const Glyph& glyph : kGlyphs) {
    if (glyph.character == upper) return glyph.strokes;
  }
  return {};
}

}  // namespace

void draw_line(double x0, double y0, double x1, double y1, double thickness, const Blend& blend) {
  const double reach = thickness / 2 + 1;
  const double dx = x1 - x0, dy = y1 - y0;
  const double length2 = std::max(dx * dx + dy * dy, 1e-12);
  const int top = static_cast<int>(std::floor(std::min(y0, y1) - reach));
  const int bottom = static_cast<int>(std::ceil(std::max(y0, y1) + reach));
  const int left = static_cast<int>(std::floor(std::min(x0, x1) - reach));
  const int right = static_cast<int>(std::ceil(std::max(x0, x1) + reach));
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const double t = std::clamp(((x - x0) * dx + (y - y0) * dy) / length2, 0.0, 1.0);
      const double distance = std::hypot(x - x0 - t * dx, y - y0 - t * dy);
      const double coverage = std::clamp(thickness / 2 + 0.5 - distance, 0.0, 1.0);
      if (coverage > 0) blend(x, y, static_cast<float>(coverage));
    }
  }
}

void draw_text(double x, double y, double height, std::string_view text, const Blend& blend) {
  const double unit = height / kGridHeight;
  for (const char character : text) {
    const std::string_view strokes = strokes_of(character);
    for (size_t i = 0; i + 4 < strokes.size(); i += 3) {
      if (strokes[i + 2] == '|') continue;
      draw_line(x + unit * (strokes[i] - '0'), y + unit * (strokes[i + 1] - '0'), x + unit * (strokes[i + 3] - '0'),
                y + unit * (strokes[i + 4] - '0'), height * kThickness, blend);
    }
    x += unit * kAdvance;
  }
}

double text_width(double height, std::string_view text) {
  return height / kGridHeight * kAdvance * static_cast<double>(text.size());
}

}  // namespace coco::demo
