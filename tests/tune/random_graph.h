// Purpose: graphs with random numbers, and pictures for them, for the tests of networks made from graphs.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "catch.h"
#include "coco/compile.h"
#include "graph/graph.h"
#include "tune/random.h"

namespace coco::tune::testing {

/// Adds operator after operator; `last` is the newest result.
struct GraphBuilder {
  graph::Graph graph;
  graph::Value* last = nullptr;
  Random random{1};

  explicit GraphBuilder(int64_t channels, uint64_t seed = 1, int64_t height = kDynamicDim, int64_t width = kDynamicDim)
      : random(seed) {
    last = graph.add_input("x", DataType::kF32, Shape{1, channels, height, width});
  }

  std::vector<float> numbers(int64_t count, double deviation) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(deviation * random.normal()));
    return values;
  }
  graph::Value* constant(const std::string& name, Shape shape, double deviation) {
    const int64_t count = shape.element_count().value();
    return graph.add_constant(name, std::move(shape), numbers(count, deviation));
  }

  graph::Node* add(const std::string& name, format::OpParams params, std::vector<graph::Value*> inputs) {
    auto node = graph.append(std::move(params), std::move(inputs), name);
    INFO(name << ": " << (node.ok() ? "" : node.error().message));
    REQUIRE(node.ok());
    last = (*node)->output();
    return *node;
  }
  graph::Node* add(const std::string& name, format::OpParams params) { return add(name, std::move(params), {last}); }

  /// Padded so that the size stays. Every third weight is 0 where `pruned`.
  graph::Node* conv(const std::string& name, int64_t out, format::Conv2dParams p, bool prelu = false,
                    bool pruned = false) {
    const int64_t in = last->shape()[1] / p.group, taps = p.kernel[0] * p.kernel[1];
    std::vector<float> weights = numbers(out * in * taps, std::sqrt(1.6 / static_cast<double>(in * taps)));
    for (size_t i = 0; pruned && i < weights.size(); i += 3) weights[i] = 0;
    std::vector<graph::Value*> inputs{
        last, graph.add_constant(name + ".w", Shape{out, in, p.kernel[0], p.kernel[1]}, weights),
        constant(name + ".b", Shape{out}, 0.1)};
    if (prelu) {
      std::vector<float> slopes;
      for (int64_t i = 0; i < out; ++i) slopes.push_back(static_cast<float>(0.05 + 0.4 * random.uniform()));
      inputs.push_back(graph.add_constant(name + ".s", Shape{out}, slopes));
    }
    return add(name, p, inputs);
  }
  graph::Graph end() {
    graph.add_output("y", last);
    return std::move(graph);
  }
};

inline format::Conv2dParams window(int64_t kernel, format::UnaryKind activation = format::UnaryKind::kIdentity,
                                   float a = 0, float b = 0) {
  format::Conv2dParams p;
  p.kernel = {kernel, kernel};
  p.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
  p.activation = activation;
  p.act_a = a;
  p.act_b = b;
  return p;
}

inline format::ResizeParams resize(format::ResizeMode mode, format::CoordinateMode coordinates, float factor) {
  format::ResizeParams p;
  p.mode = mode;
  p.coordinates = coordinates;
  p.scales = {1, 1, factor, factor};
  return p;
}

/// A picture of 8-bit samples k * (1 / 255): waves, a slope, edges and some noise.
inline FloatTensor make_picture(int64_t channels, int64_t height, int64_t width, uint64_t seed) {
  Random random(seed);
  FloatTensor picture{Shape{1, channels, height, width}, {}};
  const double fx = 0.1 + 0.6 * random.uniform(), fy = 0.1 + 0.6 * random.uniform();
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const double wave = 60 * std::sin(fx * double(x) + fy * double(y) + double(c));
        const double edge = (x / 9 + y / 7) % 2 != 0 ? 30 : -30;
        const double v = 120 + wave + edge + double(x) / 2 + 6 * random.normal();
        picture.data.push_back(static_cast<float>(std::clamp(std::nearbyint(v), 0.0, 255.0)) * (1.0f / 255.0f));
      }
    }
  }
  return picture;
}

}  // namespace coco::tune::testing
