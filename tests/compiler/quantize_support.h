// Purpose: networks, pictures and looks at the result for the tests of the quantiser.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "compiler/quantize/quantize.h"

namespace coco::testing {

using graph::Graph;
using graph::Node;
using graph::Value;

/// Repeatable numbers from -1 to 1.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  float operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<double>(state_ >> 33) / (1u << 30) - 1.0);
  }
  std::vector<float> list(size_t count, float size = 1) {
    std::vector<float> values(count);
    for (float& v : values) v = size * (*this)();
    return values;
  }

 private:
  uint64_t state_;
};

/// Pictures of 8-bit samples: a slope, a wave and some noise.
inline std::vector<CalibrationSample> pictures(size_t count, int64_t channels, int64_t side) {
  Random random(7);
  std::vector<CalibrationSample> samples(count);
  for (size_t i = 0; i < count; ++i) {
    FloatTensor tensor{Shape{1, channels, side, side}, {}};
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < side; ++y) {
        for (int64_t x = 0; x < side; ++x) {
          const double wave = std::sin(0.3 * double(x) + 0.2 * double(y) * double(c + 1) + double(i));
          const double v = 110 + 60 * wave + 2 * double(x) + 20 * double(random());
          tensor.data.push_back(static_cast<float>(std::clamp(std::nearbyint(v), 0.0, 255.0)) * (1.0f / 255.0f));
        }
      }
    }
    samples[i].inputs.push_back(std::move(tensor));
  }
  return samples;
}

/// Plain rounding, nothing searched, nothing refused.
inline QuantizeOptions plain(std::vector<CalibrationSample> samples) {
  QuantizeOptions options;
  options.method = CalibrationMethod::kMinMax;
  options.min_snr_db = 0;
  options.equalize = options.fit_weights = options.refine_ranges = options.correct_bias = false;
  options.samples = std::move(samples);
  return options;
}

struct Net {
  Graph graph;
  Value* last = nullptr;

  Net(int64_t channels, int64_t side) { last = graph.add_input("x", DataType::kF32, Shape{1, channels, side, side}); }
  Value* add(format::OpParams params, std::vector<Value*> inputs, const char* name) {
    auto node = graph.append(std::move(params), std::move(inputs), name);
    REQUIRE(node.ok());
    return last = (*node)->output();
  }
  Node* conv(const std::string& name, int64_t results, int64_t kernel, std::vector<float> weights,
             std::vector<float> bias, format::UnaryKind activation = format::UnaryKind::kIdentity, float a = 0,
             float b = 0, std::vector<float> slope = {}, int64_t group = 1) {
    format::Conv2dParams params;
    params.kernel = {kernel, kernel};
    params.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    params.group = group;
    params.activation = activation;
    params.act_a = a;
    params.act_b = b;
    std::vector<Value*> in{
        last, graph.add_constant(name + ".w", Shape{results, last->shape()[1] / group, kernel, kernel}, weights),
        graph.add_constant(name + ".b", Shape{results}, bias)};
    if (!slope.empty()) in.push_back(graph.add_constant(name + ".s", Shape{results}, slope));
    auto node = graph.append(params, in, name);
    REQUIRE(node.ok());
    last = (*node)->output();
    return *node;
  }
  Node* random_conv(const std::string& name, int64_t results, Random& random,
                    format::UnaryKind activation = format::UnaryKind::kIdentity, std::vector<float> slope = {}) {
    const auto inputs = static_cast<size_t>(last->shape()[1]);
    const auto count = static_cast<size_t>(results);
    return conv(name, results, 3, random.list(count * inputs * 9, 0.4f), random.list(count, 0.1f), activation, 0.1f, 0,
                std::move(slope));
  }
  void end() { graph.add_output("y", last); }
};

/// Two 3x3 convolutions one after the other, of four channels and one.
inline Net chain(int64_t side, uint64_t seed) {
  Random random(seed);
  Net net(1, side);
  net.random_conv("a", 4, random);
  net.random_conv("b", 1, random);
  net.end();
  return net;
}

inline Graph quantized(const Graph& graph, const QuantizeOptions& options, QuantizeReport& report,
                       Precision precision = Precision::kInt8) {
  auto result = compiler::quantize(graph, precision, options, report);
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  REQUIRE(graph::verify(*result).ok());
  return std::move(result).value();
}

inline Graph quantized(const Graph& graph, const QuantizeOptions& options) {
  QuantizeReport report;
  return quantized(graph, options, report);
}

template <typename T>
std::vector<T> constant(const Node* node, size_t slot) {
  const auto bytes = node->input(slot)->constant().bytes;
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline std::vector<const Node*> integer_convs(const Graph& graph) {
  std::vector<const Node*> result;
  for (const Node& node : graph.nodes()) {
    if (node.kind() == format::OpKind::kQuantConv2d) result.push_back(&node);
  }
  return result;
}

inline size_t count_of(const Graph& graph, format::OpKind kind) {
  size_t count = 0;
  for (const Node& node : graph.nodes()) count += node.kind() == kind ? 1 : 0;
  return count;
}

inline Error failure(const Graph& graph, const QuantizeOptions& options, Precision precision = Precision::kInt8) {
  QuantizeReport report;
  auto result = compiler::quantize(graph, precision, options, report);
  REQUIRE(!result.ok());
  return result.error();
}

}  // namespace coco::testing
