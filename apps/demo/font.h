// Purpose: a small stroke font, drawn with antialiased lines of any size.
// Ownership: none.
// Threads: pure functions.
// Failure: characters it does not have are drawn as spaces; lower case is drawn as upper case.
#pragma once

#include <functional>
#include <string_view>

namespace coco::demo {

/// Receives a pixel and how much of it is covered, 0..1.
using Blend = std::function<void(int x, int y, float coverage)>;

/// A line of this thickness with round ends.
void draw_line(double x0, double y0, double x1, double y1, double thickness, const Blend& blend);
/// Text whose letters are `height` tall, their upper left corner at (x, y).
void draw_text(double x, double y, double height, std::string_view text, const Blend& blend);
/// Width draw_text() would take.
double text_width(double height, std::string_view text);

}  // namespace coco::demo
