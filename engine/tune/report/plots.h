// Purpose: the report's plots: points with labels that keep clear of each other, curves, bars.
#pragma once

#include <string>
#include <vector>

#include "tune/report/drawing.h"

namespace coco::tune {

/// `group` chooses the colour, in the order of Plot::groups.
struct PlotPoint {
  std::string label;  ///< may be empty
  double x = 0, y = 0;
  int group = 0;
};

struct PlotCurve {
  std::string label;
  std::vector<std::pair<double, double>> points;
};

struct Plot {
  std::string title, x_title, y_title;
  bool logarithmic = false;         ///< the x axis; every x is above 0 then
  std::vector<std::string> groups;  ///< what the colours mean
};

/// Of the points, those that no other beats at less or equal x, by rising x.
std::vector<PlotPoint> frontier(std::vector<PlotPoint> points);

/// Points, and a line through their frontier. A label that finds no free place beside its point is left out.
Drawing draw_points(const Plot& plot, const std::vector<PlotPoint>& points);

/// Lines, each named in a list beside them.
Drawing draw_curves(const Plot& plot, const std::vector<PlotCurve>& curves);

/// One bar for each label from 0 to its value, with the value's text.
struct PlotBar {
  std::string label;
  double value = 0;
  std::string text;
};
Drawing draw_bars(const std::string& title, const std::vector<PlotBar>& bars);

}  // namespace coco::tune
