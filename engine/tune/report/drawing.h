// Purpose: a picture of lines, discs and texts, made once and given as SVG and as PNG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};

enum class Anchor { kStart, kMiddle, kEnd };

/// One mark of a drawing. Coordinates are pixels from the top left.
struct Mark {
  enum class Kind { kLine, kDisc, kBox, kText } kind = Kind::kLine;
  double x = 0, y = 0;    ///< of a text: its base line
  double x2 = 0, y2 = 0;  ///< the other end of a line, the other corner of a box
  double size = 1;        ///< line width, radius of a disc, height of a text
  Colour colour;
  std::string text{};
  Anchor anchor = Anchor::kStart;
};

struct Drawing {
  int width = 0, height = 0;
  std::vector<Mark> marks;

  void line(double x, double y, double x2, double y2, Colour colour, double width = 1);
  void disc(double x, double y, double radius, Colour colour);
  void box(double x, double y, double x2, double y2, Colour colour);
  void text(double x, double y, const std::string& text, double height, Colour colour, Anchor anchor = Anchor::kStart);
};

/// Wide enough for the text in both forms.
double text_width(const std::string& text, double height);

/// &, <, > and quotes as entities; control characters left out.
std::string escape_markup(const std::string& text);

std::string to_svg(const Drawing& drawing);

/// Twice the drawing's size, so that small text stays legible. Characters beyond ASCII become '?'.
Result<std::vector<uint8_t>> to_png(const Drawing& drawing);

}  // namespace coco::tune
