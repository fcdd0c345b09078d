#include "tune/report/drawing.h"

#include <cstdio>

namespace coco::tune {
namespace {

constexpr double kWidthOfHeight = 0.6;  // of a character

std::string hex(Colour c) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", c.red, c.green, c.blue);
  return text;
}

template <typename... Values>
std::string fill_in(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

std::string element(const Mark& m) {
  const std::string colour = hex(m.colour);
  switch (m.kind) {
    case Mark::Kind::kLine:
      return fill_in("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\"/>", m.x,
                     m.y, m.x2, m.y2, colour.c_str(), m.size);
    case Mark::Kind::kDisc:
      return fill_in("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>", m.x, m.y, m.size, colour.c_str());
    case Mark::Kind::kBox:
      return fill_in("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>", m.x, m.y, m.x2 - m.x,
                     m.y2 - m.y, colour.c_str());
    case Mark::Kind::kText:
      break;
  }
  const char* anchor = m.anchor == Anchor::kStart ? "start" : m.anchor == Anchor::kMiddle ? "middle" : "end";
  return fill_in("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", m.x, m.y, m.size,
                 anchor, colour.c_str()) +
         escape_markup(m.text) + "</text>";
}

}  // namespace

void Drawing::line(double x, double y, double x2, double y2, Colour colour, double width) {
  marks.push_back({Mark::Kind::kLine, x, y, x2, y2, width, colour});
}

void Drawing::disc(double x, double y, double radius, Colour colour) {
  marks.push_back({Mark::Kind::kDisc, x, y, 0, 0, radius, colour});
}

void Drawing::box(double x, double y, double x2, double y2, Colour colour) {
  marks.push_back({Mark::Kind::kBox, x, y, x2, y2, 0, colour});
}

void Drawing::text(double x, double y, const std::string& text, double height, Colour colour, Anchor anchor) {
  marks.push_back({Mark::Kind::kText, x, y, 0, 0, height, colour, text, anchor});
}

double text_width(const std::string& text, double height) {
  size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
  return kWidthOfHeight * height * static_cast<double>(characters);
}

std::string escape_markup(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\'') {
      result += "&#39;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      result += c;
    }
  }
  return result;
}

std::string to_svg(const Drawing& drawing) {
  std::string svg =
      fill_in("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\"",
              drawing.width, drawing.height, drawing.width, drawing.height);
  svg += " font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  for (const Mark& mark : drawing.marks) svg += element(mark) + "\n";
  return svg + "</svg>\n";
}

}  // namespace coco::tune
