#include <algorithm>
#include <cmath>

#include "quality/quality.h"

namespace coco::quality {
namespace {

/// For each output sample: `taps` input positions (already clamped) and their weights, which sum to 1.
struct AxisTable {
  int taps = 0;
  std::vector<int> index;
  std::vector<double> weight;
};

// |x| <= 1: 1.5|x|^3 - 2.5|x|^2 + 1;  |x| <= 2: -0.5|x|^3 + 2.5|x|^2 - 4|x| + 2;  else 0   (Keys, a = -0.5)
double cubic(double x) {
  const double a = std::fabs(x), a2 = a * a, a3 = a2 * a;
  if (a <= 1.0) return 1.5 * a3 - 2.5 * a2 + 1.0;
  if (a <= 2.0) return -0.5 * a3 + 2.5 * a2 - 4.0 * a + 2.0;
  return 0.0;
}

// Output sample o sits at u = (o + 0.5) / scale - 0.5 of the input; shrinking stretches the kernel by 1 / scale.
AxisTable make_table(int in, int out) {
  const double scale = static_cast<double>(out) / in;
  const double squeeze = std::min(scale, 1.0);
  const double radius = 2.0 / squeeze;
  AxisTable table;
  table.taps = static_cast<int>(std::ceil(2.0 * radius)) + 1;
  table.index.reserve(static_cast<size_t>(out) * static_cast<size_t>(table.taps));
  table.weight.reserve(table.index.capacity());
  for (int o = 0; o < out; ++o) {
    const double u = (o + 0.5) / scale - 0.5;
    const int first = static_cast<int>(std::floor(u - radius)) + 1;
    double sum = 0.0;
    for (int t = 0; t < table.taps; ++t) sum += cubic(squeeze * (u - (first + t)));
    for (int t = 0; t < table.taps; ++t) {
      table.index.push_back(std::clamp(first + t, 0, in - 1));
      table.weight.push_back(cubic(squeeze * (u - (first + t))) / sum);
    }
  }
  return table;
}

/// line[x] = sum over taps of weight * source row, for one output row.
void filter_rows(const Plane8& plane, const AxisTable& table, int out_y, std::vector<double>& line) {
  std::fill(line.begin(), line.end(), 0.0);
  for (int t = 0; t < table.taps; ++t) {
    const size_t entry = static_cast<size_t>(out_y) * static_cast<size_t>(table.taps) + static_cast<size_t>(t);
    const double w = table.weight[entry];
    if (w == 0.0) continue;
    const uint8_t* src = plane.data.data() + static_cast<size_t>(table.index[entry]) * static_cast<size_t>(plane.width);
    for (size_t x = 0; x < line.size(); ++x) line[x] += w * src[x];
  }
}

}  // namespace

Plane8 resize_bicubic(const Plane8& plane, int out_width, int out_height) {
  COCO_CHECK(plane.width >= 1 && plane.height >= 1 && out_width >= 1 && out_height >= 1, "a resize needs pixels");
  const AxisTable horizontal = make_table(plane.width, out_width);
  const AxisTable vertical = make_table(plane.height, out_height);
  Plane8 out{out_width, out_height, {}};
  out.data.resize(static_cast<size_t>(out_width) * static_cast<size_t>(out_height));
  std::vector<double> line(static_cast<size_t>(plane.width));
  const auto taps = static_cast<size_t>(horizontal.taps);
  for (int y = 0; y < out_height; ++y) {
    filter_rows(plane, vertical, y, line);
    uint8_t* dst = out.data.data() + static_cast<size_t>(y) * static_cast<size_t>(out_width);
    for (size_t x = 0; x < static_cast<size_t>(out_width); ++x) {
      double sum = 0.0;
      for (size_t t = 0; t < taps; ++t) {
        sum += horizontal.weight[x * taps + t] * line[static_cast<size_t>(horizontal.index[x * taps + t])];
      }
      // The small offset makes sums that are x.5 but for the last bits of a double round up, whatever the tap order.
      dst[x] = static_cast<uint8_t>(std::clamp(std::floor(sum + 0.5 + 1e-9), 0.0, 255.0));
    }
  }
  return out;
}

}  // namespace coco::quality
