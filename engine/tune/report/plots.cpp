#include "tune/report/plots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace coco::tune {
namespace {

constexpr int kWidth = 960, kHeight = 560;
constexpr double kLeft = 70, kRight = 930, kTop = 50, kBottom = 500;
constexpr double kCurvesRight = 700;  // a list of names stands beside curves
constexpr double kLabel = 12, kTitle = 17, kRadius = 4;
constexpr Colour kInk{40, 40, 40}, kGrid{225, 225, 225}, kFaint{150, 150, 150};
constexpr std::array<Colour, 8> kColours = {{{200, 40, 40},
                                             {40, 90, 180},
                                             {40, 140, 70},
                                             {150, 80, 170},
                                             {210, 130, 20},
                                             {20, 150, 160},
                                             {120, 90, 60},
                                             {90, 90, 90}}};

Colour colour_of(size_t index) { return kColours[index % kColours.size()]; }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// 1500 as "1.5 K".
std::string short_number(double value) {
  if (value >= 1e6) return number(value / 1e6) + " M";
  if (value >= 1e3) return number(value / 1e3) + " K";
  return number(value);
}

struct Range {
  double low = 0, high = 1;
  void widen(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// 1, 2 or 5 times a power of ten: at most ten of them in the range.
double tick_step(const Range& range) {
  const double power = std::pow(10, std::floor(std::log10((range.high - range.low) / 10)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if ((range.high - range.low) / (factor * power) <= 10) return factor * power;
  }
  return 10 * power;
}

/// From values to places.
class Axis {
 public:
  Axis(Range range, bool logarithmic, double from, double to)
      : range_(range), logarithmic_(logarithmic), from_(from), to_(to) {
    if (logarithmic_) range_ = {std::log10(range.low), std::log10(range.high)};
    const double margin = range_.high > range_.low ? 0.05 * (range_.high - range_.low) : 0.5;
    range_ = {range_.low - margin, range_.high + margin};
  }

  double place(double value) const {
    const double v = logarithmic_ ? std::log10(value) : value;
    return from_ + (to_ - from_) * (v - range_.low) / (range_.high - range_.low);
  }

  std::vector<double> ticks() const {
    std::vector<double> ticks;
    if (logarithmic_) {
      for (double power = std::floor(range_.low); power <= range_.high; ++power) {
        for (const double factor : {1.0, 2.0, 5.0}) add(std::pow(10, power) * factor, ticks);
      }
      return ticks;
    }
    const double step = tick_step(range_);
    for (double i = std::ceil(range_.low / step); i * step <= range_.high; ++i) ticks.push_back(i * step);
    return ticks;
  }

 private:
  void add(double value, std::vector<double>& ticks) const {
    if (std::log10(value) >= range_.low && std::log10(value) <= range_.high) ticks.push_back(value);
  }

  Range range_;
  bool logarithmic_;
  double from_, to_;
};

void draw_frame(const Plot& plot, const Axis& x, const Axis& y, double right, Drawing& drawing) {
  double free_from = 0;  // what the last tick's text leaves
  for (const double tick : x.ticks()) {
    const double at = x.place(tick), half = text_width(short_number(tick), kLabel) / 2;
    drawing.line(at, kTop, at, kBottom, kGrid);
    if (at - half < free_from) continue;
    drawing.text(at, kBottom + 18, short_number(tick), kLabel, kInk, Anchor::kMiddle);
    free_from = at + half + 4;
  }
  for (const double tick : y.ticks()) {
    drawing.line(kLeft, y.place(tick), right, y.place(tick), kGrid);
    drawing.text(kLeft - 6, y.place(tick) + 4, number(tick), kLabel, kInk, Anchor::kEnd);
  }
  drawing.line(kLeft, kBottom, right, kBottom, kInk);
  drawing.line(kLeft, kTop, kLeft, kBottom, kInk);
  drawing.text(kLeft, 24, plot.title, kTitle, kInk);
  drawing.text((kLeft + right) / 2, kBottom + 42, plot.x_title, kLabel, kInk, Anchor::kMiddle);
  drawing.text(kLeft, kTop - 8, plot.y_title, kLabel, kInk);
}

struct Box {
  double left, top, right, bottom;
  bool meets(const Box& o) const { return left < o.right && o.left < right && top < o.bottom && o.top < bottom; }
};

/// Places beside points that are still free.
class LabelPlaces {
 public:
  explicit LabelPlaces(double right) : right_(right) {}

  void block(double x, double y) { taken_.push_back({x - kRadius, y - kRadius, x + kRadius, y + kRadius}); }
  void block_line(double x, double y, double x2, double y2) {
    const double length = std::hypot(x2 - x, y2 - y);
    for (double t = 0; t < length; t += 6) {
      const double at = x + (x2 - x) * t / length, down = y + (y2 - y) * t / length;
      taken_.push_back({at - 1, down - 1, at + 1, down + 1});
    }
  }

  /// The left end of the base line.
  std::optional<std::pair<double, double>> find(double x, double y, const std::string& label) {
    const double width = text_width(label, kLabel), gap = kRadius + 3;
    for (const double far : {0.0, 9.0, 18.0}) {
      const std::array<std::pair<double, double>, 8> tries = {{{x + gap + far, y + 4},
                                                               {x - gap - far - width, y + 4},
                                                               {x - width / 2, y - gap - far},
                                                               {x - width / 2, y + gap + far + kLabel - 2},
                                                               {x + gap, y - gap - far},
                                                               {x + gap, y + gap + far + kLabel - 2},
                                                               {x - gap - width, y - gap - far},
                                                               {x - gap - width, y + gap + far + kLabel - 2}}};
      for (const auto& [left, base] : tries) {
        const Box box{left, base - kLabel, left + width, base + 3};
        if (box.left < kLeft || box.right > right_ || box.top < kTop || box.bottom > kBottom) continue;
        if (std::any_of(taken_.begin(), taken_.end(), [&](const Box& o) { return box.meets(o); })) continue;
        taken_.push_back(box);
        return std::pair{left, base};
      }
    }
    return std::nullopt;
  }

 private:
  double right_;
  std::vector<Box> taken_;
};

template <typename Points, typename Get>
Range range_of(const Points& points, Get get) {
  Range range{get(points.front()), get(points.front())};
  for (const auto& point : points) range.widen(get(point));
  return range;
}

Drawing with_note(const Plot& plot, const char* note) {
  Drawing drawing{kWidth, 90, {}};
  drawing.text(kLeft, 24, plot.title, kTitle, kInk);
  drawing.text(kLeft, 60, note, kLabel, kFaint);
  return drawing;
}

void draw_groups(const Plot& plot, Drawing& drawing) {
  double x = kRight;
  for (size_t i = plot.groups.size(); i-- > 0;) {
    x -= text_width(plot.groups[i], kLabel);
    drawing.text(x, kTop - 8, plot.groups[i], kLabel, kInk);
    drawing.disc(x - 9, kTop - 12, kRadius, colour_of(i));
    x -= 30;
  }
}

}  // namespace

std::vector<PlotPoint> frontier(std::vector<PlotPoint> points) {
  std::sort(points.begin(), points.end(),
            [](const PlotPoint& a, const PlotPoint& b) { return a.x != b.x ? a.x < b.x : a.y > b.y; });
  std::vector<PlotPoint> best;
  for (PlotPoint& point : points) {
    if (best.empty() || point.y > best.back().y) best.push_back(std::move(point));
  }
  return best;
}

Drawing draw_points(const Plot& plot, const std::vector<PlotPoint>& points) {
  if (points.empty()) return with_note(plot, "nothing to show");
  Drawing drawing{kWidth, kHeight, {}};
  const Axis x(range_of(points, [](const PlotPoint& p) { return p.x; }), plot.logarithmic, kLeft, kRight);
  const Axis y(range_of(points, [](const PlotPoint& p) { return p.y; }), false, kBottom, kTop);
  draw_frame(plot, x, y, kRight, drawing);
  draw_groups(plot, drawing);
  LabelPlaces places(kRight);
  const std::vector<PlotPoint> best = frontier(points);
  for (size_t i = 1; i < best.size(); ++i) {
    const double x1 = x.place(best[i - 1].x), y1 = y.place(best[i - 1].y);
    const double x2 = x.place(best[i].x), y2 = y.place(best[i].y);
    drawing.line(x1, y1, x2, y2, kFaint);
    places.block_line(x1, y1, x2, y2);
  }
  for (const PlotPoint& p : points) places.block(x.place(p.x), y.place(p.y));
  for (const PlotPoint& p : points) {
    drawing.disc(x.place(p.x), y.place(p.y), kRadius, colour_of(static_cast<size_t>(p.group)));
    const auto place = places.find(x.place(p.x), y.place(p.y), p.label);
    if (place) drawing.text(place->first, place->second, p.label, kLabel, colour_of(static_cast<size_t>(p.group)));
  }
  return drawing;
}

Drawing draw_curves(const Plot& plot, const std::vector<PlotCurve>& curves) {
  std::vector<std::pair<double, double>> all;
  for (const PlotCurve& curve : curves) all.insert(all.end(), curve.points.begin(), curve.points.end());
  if (all.empty()) return with_note(plot, "nothing to show");
  const int height = std::max(kHeight, static_cast<int>(kTop) + 40 + static_cast<int>(curves.size()) * 18);
  Drawing drawing{kWidth, height, {}};
  const Axis x(range_of(all, [](const auto& p) { return p.first; }), plot.logarithmic, kLeft, kCurvesRight);
  const Axis y(range_of(all, [](const auto& p) { return p.second; }), false, kBottom, kTop);
  draw_frame(plot, x, y, kCurvesRight, drawing);
  for (size_t c = 0; c < curves.size(); ++c) {
    const auto& points = curves[c].points;
    for (size_t i = 0; i < points.size(); ++i) {
      const double at = x.place(points[i].first), up = y.place(points[i].second);
      if (i > 0) {
        drawing.line(x.place(points[i - 1].first), y.place(points[i - 1].second), at, up, colour_of(c), 1.5);
      }
      drawing.disc(at, up, 2.5, colour_of(c));
    }
    const double line = kTop + 14 + static_cast<double>(c) * 18;
    drawing.line(kCurvesRight + 14, line - 4, kCurvesRight + 34, line - 4, colour_of(c), 3);
    drawing.text(kCurvesRight + 40, line, curves[c].label, kLabel, kInk);
  }
  return drawing;
}

Drawing draw_bars(const std::string& title, const std::vector<PlotBar>& bars) {
  double names = 0, most = 0, texts = 0;
  for (const PlotBar& bar : bars) {
    names = std::max(names, text_width(bar.label, kLabel));
    texts = std::max(texts, text_width(bar.text, kLabel));
    most = std::max(most, bar.value);
  }
  constexpr double kRow = 22;
  Drawing drawing{kWidth, static_cast<int>(kTop + kRow * static_cast<double>(bars.size()) + 12), {}};
  drawing.text(12, 24, title, kTitle, kInk);
  const double from = 24 + names, width = kRight - texts - 12 - from;
  double y = kTop;
  for (const PlotBar& bar : bars) {
    drawing.text(from - 8, y + 13, bar.label, kLabel, kInk, Anchor::kEnd);
    const double length = most > 0 ? width * std::max(bar.value, 0.0) / most : 0;
    drawing.box(from, y + 2, from + length + 1, y + kRow - 4, kColours[1]);
    drawing.text(from + length + 8, y + 13, bar.text, kLabel, kInk);
    y += kRow;
  }
  return drawing;
}

}  // namespace coco::tune
