#include "tune/report/raster.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "tune/report/drawing.h"

namespace coco::tune {
namespace {

constexpr int kSize = 2;            // pixels of the PNG per pixel of the drawing
constexpr int kFractionBits = 4;    // of coordinates
constexpr double kFontHeight = 30;  // of Hershey Simplex at scale 1

cv::Scalar to_scalar(Colour c) { return cv::Scalar(c.blue, c.green, c.red); }

int fixed(double pixels) { return static_cast<int>(std::lround(pixels * kSize * (1 << kFractionBits))); }

std::string to_ascii(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0u) == 0x80u) continue;  // the rest of a character
    result += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return result;
}

/// As wide as its glyphs are, but never wider than text_width().
void put_text(cv::Mat& image, const Mark& m) {
  const std::string text = to_ascii(m.text);
  double scale = m.size * kSize / kFontHeight;
  const int thickness = m.size > 15 ? 2 : 1;
  int base = 0;
  const double most = text_width(text, m.size) * kSize;
  double width = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, thickness, &base).width;
  if (width > most && width > 0) {
    scale *= most / width;
    width = most;
  }
  const double shift = m.anchor == Anchor::kStart ? 0 : m.anchor == Anchor::kMiddle ? width / 2 : width;
  const cv::Point at(static_cast<int>(std::lround(m.x * kSize - shift)), static_cast<int>(std::lround(m.y * kSize)));
  cv::putText(image, text, at, cv::FONT_HERSHEY_SIMPLEX, scale, to_scalar(m.colour), thickness, cv::LINE_AA);
}

void put(cv::Mat& image, const Mark& m) {
  const cv::Point from(fixed(m.x), fixed(m.y)), to(fixed(m.x2), fixed(m.y2));
  switch (m.kind) {
    case Mark::Kind::kLine:
      cv::line(image, from, to, to_scalar(m.colour), std::max(1, static_cast<int>(std::lround(m.size * kSize))),
               cv::LINE_AA, kFractionBits);
      break;
    case Mark::Kind::kDisc:
      cv::circle(image, from, fixed(m.size), to_scalar(m.colour), cv::FILLED, cv::LINE_AA, kFractionBits);
      break;
    case Mark::Kind::kBox:
      cv::rectangle(image, from, to, to_scalar(m.colour), cv::FILLED, cv::LINE_8, kFractionBits);
      break;
    case Mark::Kind::kText:
      put_text(image, m);
      break;
  }
}

}  // namespace

Result<std::vector<uint8_t>> encode_png(const cv::Mat& image) {
  try {
    std::vector<uint8_t> bytes;
    if (cv::imencode(".png", image, bytes)) return bytes;
  } catch (const cv::Exception& e) {
    return make_error(ErrorCode::kInternal, "cannot encode a PNG: " + e.err);
  }
  return make_error(ErrorCode::kInternal, "cannot encode a PNG");
}

Result<std::vector<uint8_t>> to_png(const Drawing& drawing) {
  cv::Mat image(drawing.height * kSize, drawing.width * kSize, CV_8UC3, cv::Scalar(255, 255, 255));
  for (const Mark& mark : drawing.marks) put(image, mark);
  return encode_png(image);
}

}  // namespace coco::tune
