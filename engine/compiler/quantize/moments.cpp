// Calibration::moments: what an integer layer is fitted to.
#include <algorithm>
#include <numeric>

#include "compiler/quantize/calibrate.h"
#include "compiler/quantize/interpret.h"

namespace coco::compiler {
namespace {

constexpr size_t kMostSamples = 24;
constexpr double kMostPixels = 24000, kMostProducts = 3e9;

/// Every how many pixels of a picture one is taken, so that the work stays bounded; columns are taken evenly.
int64_t pixel_stride(size_t inputs, size_t samples, int64_t area, int64_t width) {
  const auto n = static_cast<double>(inputs);
  const double wanted = std::min(kMostPixels, std::max(2 * n, kMostProducts / (n * n)));
  auto stride = static_cast<int64_t>(std::max(static_cast<double>(area) * static_cast<double>(samples) / wanted, 1.0));
  while (std::gcd(stride, width) != 1) ++stride;
  return stride;
}

/// The integer layer's reading of pixels.
struct Reader {
  const format::QuantConv2dParams& p;
  const TensorView& view;
  double step;

  /// Inputs of group `g` around result (oy, ox) of picture n, in the order of its weights.
  void read(int64_t n, int64_t g, int64_t oy, int64_t ox, std::vector<float>& x) const {
    const Shape& s = view.shape;
    const int64_t inputs = s[1] / p.group;
    size_t at = 0;
    for (int64_t c = g * inputs; c < (g + 1) * inputs; ++c) {
      const auto* plane = view.as<uint8_t>() + (n * s[1] + c) * s[2] * s[3];
      for (int64_t ky = 0; ky < p.kernel[0]; ++ky) {
        for (int64_t kx = 0; kx < p.kernel[1]; ++kx, ++at) {
          const int64_t iy = oy * p.stride[0] + ky * p.dilation[0] - p.pads[0];
          const int64_t ix = ox * p.stride[1] + kx * p.dilation[1] - p.pads[1];
          const bool inside = iy >= 0 && iy < s[2] && ix >= 0 && ix < s[3];
          x[at] = inside ? static_cast<float>(step * static_cast<double>(plane[iy * s[3] + ix] - p.in_zero_point)) : 0;
        }
      }
    }
  }
};

}  // namespace

Result<std::vector<Moments>> Calibration::moments(const Rewritten& rewritten, const graph::Node& node,
                                                  double step) const {
  const graph::Node* made = rewritten.nodes.at(&node);
  const auto& p = *made->as<format::QuantConv2dParams>();
  const Shape& weight = node.input(1)->shape();
  const auto groups = static_cast<size_t>(p.group);
  const auto inputs = static_cast<size_t>(weight[1] * weight[2] * weight[3]);
  const size_t results = static_cast<size_t>(weight[0]) / groups;
  const size_t count = std::min(samples_.size(), kMostSamples);
  std::vector<std::vector<Moments>> parts(count, std::vector<Moments>(groups, Moments(inputs, results)));
  COCO_TRY(each_sample(count, [&](size_t i) -> Status {
    const std::vector<FloatTensor>& picture = samples_[i * samples_.size() / count]->inputs;
    std::vector<float> sums;
    Shape shape;
    Observer observer;
    observer.sums = [&](const graph::Node& which, const TensorView& view) {
      if (&which != &node) return;
      shape = view.shape;
      sums.assign(view.as<float>(), view.as<float>() + *shape.element_count());
    };
    COCO_TRY(interpret(*graph_, picture, observer));
    observer.sums = nullptr;
    observer.value = [&](const graph::Value& value, const TensorView& view) {
      if (&value != made->input(0)) return;
      const Reader reader{p, view, step};
      const int64_t area = shape[2] * shape[3], stride = pixel_stride(inputs, count, area * shape[0], shape[3]);
      std::vector<float> x(inputs), y(results);
      for (int64_t at = 0; at < shape[0] * area; at += stride) {
        const int64_t n = at / area, oy = at % area / shape[3], ox = at % shape[3];
        for (size_t g = 0; g < groups; ++g) {
          reader.read(n, static_cast<int64_t>(g), oy, ox, x);
          for (size_t m = 0; m < results; ++m) {
            const int64_t channel = n * shape[1] + static_cast<int64_t>(g * results + m);
            y[m] = sums[static_cast<size_t>(channel * area + at % area)];
          }
          parts[i][g].add(x.data(), y.data());
        }
      }
    };
    COCO_TRY(interpret(rewritten.graph, picture, observer));
    return {};
  }));
  for (size_t i = 1; i < count; ++i) {
    for (size_t g = 0; g < groups; ++g) parts[0][g].add(parts[i][g]);
  }
  return std::move(parts[0]);
}

}  // namespace coco::compiler
