#include "compiler/quantize/quantize.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "catch.h"
#include "compiler/emit.h"
#include "compiler/quantize/interpret.h"
#include "compiler/quantize/layer.h"
#include "format/verify_quant.h"
#include "graph/text.h"
#include "kernels/dense/dense.h"

using namespace coco;
using graph::Graph;
using graph::Node;
using graph::Value;

namespace {

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
std::vector<CalibrationSample> pictures(size_t count, int64_t channels, int64_t side) {
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
QuantizeOptions plain(std::vector<CalibrationSample> samples) {
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

Graph quantized(const Graph& graph, const QuantizeOptions& options, QuantizeReport& report,
                Precision precision = Precision::kInt8) {
  auto result = compiler::quantize(graph, precision, options, report);
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  REQUIRE(graph::verify(*result).ok());
  return std::move(result).value();
}

Graph quantized(const Graph& graph, const QuantizeOptions& options) {
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

std::vector<const Node*> integer_convs(const Graph& graph) {
  std::vector<const Node*> result;
  for (const Node& node : graph.nodes()) {
    if (node.kind() == format::OpKind::kQuantConv2d) result.push_back(&node);
  }
  return result;
}

size_t count_of(const Graph& graph, format::OpKind kind) {
  size_t count = 0;
  for (const Node& node : graph.nodes()) count += node.kind() == kind ? 1 : 0;
  return count;
}

Error failure(const Graph& graph, const QuantizeOptions& options, Precision precision = Precision::kInt8) {
  QuantizeReport report;
  auto result = compiler::quantize(graph, precision, options, report);
  REQUIRE(!result.ok());
  return result.error();
}

}  // namespace

TEST_CASE("a hand-made layer: exact weights, bias and scales") {
  Net net(1, 8);
  net.conv("c", 2, 1, {0.5f, -1.0f}, {0.25f, -0.5f});
  net.end();
  const Graph graph = quantized(net.graph, plain(pictures(1, 1, 8)));
  REQUIRE(count_of(graph, format::OpKind::kQuantize) == 1);
  const auto& quantize = *graph.nodes().front().as<format::QuantizeParams>();
  CHECK(quantize.multiplier == 255.0f);
  CHECK(quantize.zero_point == 0);
  const auto convs = integer_convs(graph);
  REQUIRE(convs.size() == 1);
  const auto& params = *convs[0]->as<format::QuantConv2dParams>();
  CHECK(params.dequantize);
  CHECK(params.in_zero_point == 0);
  CHECK(constant<int8_t>(convs[0], 1) == std::vector<int8_t>{127, -127});
  // The smallest scale whose rounded weight is still 127.
  const auto scale = constant<float>(convs[0], 3);
  CHECK(scale[0] == Approx(0.5 / 127.5 / 255).epsilon(1e-6));
  CHECK(scale[1] == Approx(1.0 / 127.5 / 255).epsilon(1e-6));
  CHECK(constant<int32_t>(convs[0], 2) == std::vector<int32_t>{16256, -16256});
  CHECK(convs[0]->input(4) == nullptr);
}

TEST_CASE("the weight scale: largest weight, pairs of channels, channels of zeros") {
  const auto scale = [](std::vector<double> w, size_t taps, size_t first = 0) {
    return compiler::weight_scale(w, taps, first);
  };
  CHECK(scale({0, 0, 0, 0}, 2) == 0);
  CHECK(scale({1, 0}, 1) == Approx(1 / 127.5));
  // A pair: 64.5 would round to 64 each, which is the limit.
  CHECK(scale({1, 1}, 1) == Approx(1 / 64.5));
  CHECK(scale({1, -1}, 1) == Approx(1 / 64.5));
  // Other taps, or channels 1 and 2, are no pair.
  CHECK(scale({1, 1}, 2) == Approx(1 / 127.5));
  CHECK(scale({1, 1}, 1, 1) == Approx(1 / 127.5));
  Random random(3);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> weights(6 * 9);
    for (double& w : weights) w = random();
    const double s = compiler::weight_scale(weights, 9, 0);
    int largest = 0;
    const auto q = [&](size_t i) { return static_cast<int>(std::abs(std::nearbyint(weights[i] / s))); };
    for (size_t c = 0; c < 6; c += 2) {
      for (size_t t = 0; t < 9; ++t) {
        CHECK(std::max(q(c * 9 + t), q((c + 1) * 9 + t)) <= 127);
        CHECK(q(c * 9 + t) + q((c + 1) * 9 + t) <= 128);
        largest = std::max(largest, q(c * 9 + t) + q((c + 1) * 9 + t));
      }
    }
    CHECK(largest >= 126);
  }
}

TEST_CASE("zeros stay zeros, and a channel of zeros gives its bias") {
  Random random(5);
  Net net(3, 12);
  std::vector<float> weights = random.list(4 * 3 * 9);
  for (size_t i = 0; i < weights.size(); i += 2) weights[i] = 0;
  std::fill_n(weights.begin() + 27, 27, 0.0f);
  net.conv("c", 4, 3, weights, {0.1f, 0.75f, 0, 0});
  net.end();
  QuantizeOptions options;
  options.min_snr_db = 20;
  options.samples = pictures(2, 3, 12);
  const Graph graph = quantized(net.graph, options);
  const auto w8 = constant<int8_t>(integer_convs(graph).at(0), 1);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) CHECK(w8[i] == 0);
  }
  const auto out = compiler::interpret(graph, options.samples[0].inputs);
  REQUIRE(out.ok());
  for (size_t i = 0; i < 144; ++i) CHECK((*out)[0].data[144 + i] == Approx(0.75f));
}

TEST_CASE("activations: PReLU, LeakyReLU, ReLU and Clip") {
  Random random(11);
  const auto first = [&](format::UnaryKind kind, float a, float b, std::vector<float> slope) {
    Net net(2, 10);
    net.conv("c", 2, 3, random.list(36), random.list(2), kind, a, b, std::move(slope));
    net.conv("d", 1, 1, {1, 1}, {0});
    net.end();
    QuantizeOptions options = plain(pictures(2, 2, 10));
    options.min_snr_db = 25;
    return quantized(net.graph, options);
  };
  const Graph prelu = first(format::UnaryKind::kIdentity, 0, 0, {0.25f, -0.5f});
  const auto scale = constant<float>(integer_convs(prelu)[0], 3),
             negative = constant<float>(integer_convs(prelu)[0], 4);
  CHECK(negative[0] == Approx(0.25 * scale[0]));
  CHECK(negative[1] == Approx(-0.5 * scale[1]));
  CHECK(!integer_convs(prelu)[0]->as<format::QuantConv2dParams>()->dequantize);
  const Graph leaky = first(format::UnaryKind::kLeakyRelu, 0.125f, 0, {});
  CHECK(constant<float>(integer_convs(leaky)[0], 4)[1] ==
        Approx(0.125 * constant<float>(integer_convs(leaky)[0], 3)[1]));
  const Graph relu = first(format::UnaryKind::kRelu, 0, 0, {});
  CHECK(constant<float>(integer_convs(relu)[0], 4) == std::vector<float>{0, 0});
  CHECK(integer_convs(relu)[0]->as<format::QuantConv2dParams>()->out_zero_point == 0);
  const Graph clip = first(format::UnaryKind::kClip, -0.25f, 0.5f, {});
  const auto& params = *integer_convs(clip)[0]->as<format::QuantConv2dParams>();
  CHECK(params.low == 0);
  CHECK(params.high == 255);
  CHECK(params.out_zero_point == 85);
}

TEST_CASE("an activation that the last layer cannot hold stands after it in f32") {
  Random random(2);
  for (auto kind : {format::UnaryKind::kClip, format::UnaryKind::kSigmoid}) {
    Net net(1, 9);
    net.conv("c", 2, 3, random.list(18), {0, 0}, kind, 0.1f, 0.6f);
    net.end();
    QuantizeReport report;
    const QuantizeOptions options = plain(pictures(1, 1, 9));
    const Graph graph = quantized(net.graph, options, report);
    CHECK(count_of(graph, format::OpKind::kUnary) == 1);
    CHECK(report.layers.at(0).snr_db > 30);
  }
}

TEST_CASE("three convolutions in a row pass u8 and come near f32") {
  Random random(21);
  Net net(1, 24);
  net.random_conv("a", 8, random, format::UnaryKind::kIdentity, random.list(8));
  net.random_conv("b", 8, random, format::UnaryKind::kLeakyRelu);
  net.random_conv("c", 4, random);
  net.end();
  for (auto method : {CalibrationMethod::kMse, CalibrationMethod::kPercentile, CalibrationMethod::kMinMax}) {
    QuantizeOptions options = plain(pictures(3, 1, 24));
    options.method = method;
    QuantizeReport report;
    const Graph graph = quantized(net.graph, options, report);
    CHECK(count_of(graph, format::OpKind::kQuantize) == 1);
    CHECK(integer_convs(graph).size() == 3);
    CHECK(report.snr_db > 28);
    for (const QuantizedLayer& layer : report.layers) CHECK(layer.snr_db > 28);
    options.equalize = options.fit_weights = options.refine_ranges = options.correct_bias = true;
    QuantizeReport better;
    quantized(net.graph, options, better);
    CHECK(better.snr_db >= report.snr_db);
  }
}

TEST_CASE("the interpreter's integer convolution gives the reference kernel's bytes") {
  Random random(31);
  for (int64_t stride : {1, 2}) {
    Net net(4, 11);
    format::Conv2dParams params;
    params.kernel = {3, 2};
    params.stride = {stride, stride};
    params.pads = {1, 0, 2, 1};
    params.group = 2;
    const auto weight = random.list(6 * 2 * 6), bias = random.list(6), slope = random.list(6);
    auto node =
        net.graph.append(params,
                         {net.last, net.graph.add_constant("w", Shape{6, 2, 3, 2}, weight),
                          net.graph.add_constant("b", Shape{6}, bias), net.graph.add_constant("s", Shape{6}, slope)},
                         "first");
    REQUIRE(node.ok());
    net.last = (*node)->output();
    net.conv("second", 1, 1, random.list(6), {0});
    net.end();
    const auto samples = pictures(1, 4, 11);
    const Graph graph = quantized(net.graph, plain(samples));
    std::vector<uint8_t> x, y;
    Shape x_shape, y_shape;
    compiler::Observer observer;
    observer.value = [&](const Value& value, const TensorView& view) {
      if (view.type != DataType::kU8) return;
      const auto* data = view.as<uint8_t>();
      const bool input = value.producer()->kind() == format::OpKind::kQuantize;
      (input ? x : y).assign(data, data + *view.shape.element_count());
      (input ? x_shape : y_shape) = view.shape;
    };
    REQUIRE(compiler::interpret(graph, samples[0].inputs, observer).ok());
    const Node* conv = integer_convs(graph)[0];
    std::vector<TensorView> in{{DataType::kU8, x_shape, x.data()}};
    for (size_t slot = 1; slot < 5; ++slot) {
      const Value* value = conv->input(slot);
      in.push_back({value->type(), value->shape(), value->constant().bytes.data()});
    }
    std::vector<uint8_t> expected(y.size());
    const MutableTensorView out{DataType::kU8, y_shape, expected.data()};
    kernels::quant_conv2d_ref(conv->params(), in, std::span(&out, 1), 0, kernels::dense_rows(y_shape));
    REQUIRE(!y.empty());
    CHECK(y == expected);
  }
}

TEST_CASE("the mean of a picture and a matrix behind it are integer convolutions") {
  Random random(47);
  Net net(3, 12);
  net.random_conv("a", 8, random);
  net.add(format::ReduceParams{format::ReduceKind::kMean, {2, 3}, true}, {net.last}, "mean");
  net.add(format::ReshapeParams{{0, 8}}, {net.last}, "flat");
  Value* matrix = net.graph.add_constant("m", Shape{8, 5}, random.list(40, 0.5f));
  net.add(format::MatMulParams{}, {net.last, matrix, net.graph.add_constant("n", Shape{5}, random.list(5, 0.1f))},
          "product");
  net.end();
  QuantizeReport report;
  const Graph graph = quantized(net.graph, plain(pictures(4, 3, 12)), report);
  CHECK(integer_convs(graph).size() == 3);
  CHECK(count_of(graph, format::OpKind::kMatMul) + count_of(graph, format::OpKind::kReduce) == 0);
  CHECK(graph.outputs()[0].value->shape() == Shape{1, 5});
  CHECK(report.cosine > 0.999);
}

TEST_CASE("weights are coarser where sums could pass 2^24") {
  Net net(2, 4);
  net.conv("wide", 1200, 1, std::vector<float>(2400, 1), std::vector<float>(1200, 0));
  std::vector<float> weights(1200);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.01f * static_cast<float>(i % 7 + 1);
  net.conv("deep", 1, 1, weights, {0});
  net.end();
  QuantizeReport report;
  const Graph graph = quantized(net.graph, plain(pictures(1, 2, 4)), report);
  CHECK(report.layers.at(1).int8);
  CHECK(report.snr_db > 20);
}

TEST_CASE("sums that could pass 2^24 all the same keep their layer in f32") {
  Net net(2, 4);
  net.conv("wide", 1200, 1, std::vector<float>(2400, 1), std::vector<float>(1200, 0));
  net.conv("deep", 1, 1, std::vector<float>(1200, 0.01f), {800});
  net.end();
  QuantizeReport report;
  const Graph graph = quantized(net.graph, plain(pictures(1, 2, 4)), report);
  REQUIRE(report.layers.size() == 2);
  CHECK(report.layers[0].int8);
  CHECK(!report.layers[1].int8);
  CHECK(report.layers[1].reason.find("channel 0") != std::string::npos);
  CHECK(integer_convs(graph).at(0)->as<format::QuantConv2dParams>()->dequantize);
  CHECK(count_of(graph, format::OpKind::kConv2d) == 1);
}

TEST_CASE("a value read in f32 too is quantized beside it") {
  Random random(41);
  Net net(1, 12);
  net.random_conv("a", 4, random);
  Value* skip = net.last;
  net.random_conv("b", 4, random);
  auto most = net.graph.append(format::BinaryParams{format::BinaryKind::kMax}, {net.last, skip}, "most");
  REQUIRE(most.ok());
  net.last = (*most)->output();
  net.random_conv("c", 2, random);
  net.end();
  QuantizeReport report;
  const Graph graph = quantized(net.graph, plain(pictures(2, 1, 12)), report);
  CHECK(integer_convs(graph).size() == 3);
  CHECK(count_of(graph, format::OpKind::kQuantize) == 3);
  for (const Node* conv : integer_convs(graph)) CHECK(conv->as<format::QuantConv2dParams>()->dequantize);
  CHECK(report.snr_db > 28);
}

TEST_CASE("operators between convolutions work on u8") {
  Random random(43);
  Net net(1, 16);
  net.random_conv("a", 4, random);
  Value* skip = net.last;
  net.random_conv("b", 4, random);
  net.add(format::UnaryParams{format::UnaryKind::kHardSwish}, {net.last}, "swish");
  Value* sum = net.add(format::BinaryParams{}, {net.last, skip}, "sum");
  net.add(format::UnaryParams{format::UnaryKind::kRelu}, {sum}, "relu");
  Value* past = net.last;
  format::Pool2dParams pool;
  pool.kernel = pool.stride = {2, 2};
  net.add(pool, {past}, "pool");
  net.random_conv("c", 4, random);
  format::ResizeParams resize;
  resize.mode = format::ResizeMode::kLinear;
  resize.scales = {1, 1, 2, 2};
  Value* up = net.add(resize, {net.last}, "up");
  net.add(format::BinaryParams{format::BinaryKind::kMul}, {up, past}, "product");
  net.add(format::ConcatParams{1}, {net.last, past}, "join");
  net.random_conv("d", 2, random);
  net.end();
  QuantizeReport report;
  const Graph graph = quantized(net.graph, plain(pictures(2, 1, 16)), report);
  CHECK(integer_convs(graph).size() == 4);
  CHECK(count_of(graph, format::OpKind::kQuantize) == 1);
  CHECK(count_of(graph, format::OpKind::kLookup) == 1);
  CHECK(count_of(graph, format::OpKind::kQuantBinary) == 2);  // the Relu is a part of the sum
  for (const Node& node : graph.nodes()) {
    const bool last = node.output() == graph.outputs()[0].value;
    CHECK(node.output()->type() == (last ? DataType::kF32 : DataType::kU8));
  }
  CHECK(report.snr_db > 25);
  QuantizeOptions options = plain(pictures(2, 1, 16));
  options.between_convolutions = false;
  const Graph without = quantized(net.graph, options, report);
  CHECK(integer_convs(without).size() == 4);
  CHECK(count_of(without, format::OpKind::kLookup) + count_of(without, format::OpKind::kQuantBinary) == 0);
}

TEST_CASE("convolutions with computed weights stay f32") {
  Graph graph;
  Value* x = graph.add_input("x", DataType::kF32, Shape{1, 1, 6, 6});
  auto doubled = graph.append(format::UnaryParams{format::UnaryKind::kTanh}, {x}, "t");
  REQUIRE(doubled.ok());
  format::Conv2dParams params;
  params.kernel = {6, 6};
  auto conv = graph.append(params, {x, (*doubled)->output()}, "c");
  REQUIRE(conv.ok());
  graph.add_output("y", (*conv)->output());
  CHECK(failure(graph, plain(pictures(1, 1, 6))).message.find("'c': its weights are computed") != std::string::npos);
  QuantizeReport report;
  const Graph same = quantized(graph, plain(pictures(1, 1, 6)), report, Precision::kAuto);
  CHECK(count_of(same, format::OpKind::kConv2d) == 1);
}

TEST_CASE("what is no number is refused, and so is calibration without data") {
  Random random(1);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Net net(1, 6);
    net.conv("first", 1, 1, {1}, {0});
    net.conv("odd", 1, 1, {bad}, {0});
    net.end();
    const Error error = failure(net.graph, plain(pictures(1, 1, 6)), Precision::kAuto);
    CHECK(error.code == ErrorCode::kInvalidData);
    CHECK(error.message.find("'odd'") != std::string::npos);
  }
  Net net(1, 6);
  net.random_conv("c", 1, random);
  net.end();
  CHECK(failure(net.graph, plain({})).message.find("calibration data") != std::string::npos);
  CHECK(failure(net.graph, plain(pictures(1, 2, 6))).message.find("'x' takes f32 [1, 1, 6, 6]") != std::string::npos);
  auto samples = pictures(1, 1, 6);
  samples[0].inputs[0].data[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(failure(net.graph, plain(samples)).message.find("NaN or infinity at 'x'") != std::string::npos);
}

TEST_CASE("too much loss: int8 refuses, auto keeps the worst layer in f32") {
  Random random(51);
  Net net(1, 16);
  net.random_conv("a", 4, random);
  // One weight dwarfs the others, which carry the result: 8 bits cannot hold both.
  net.conv("harsh", 4, 1, {100, 0, 0, 0, 0.01f, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, {0, 0, 0, 0});
  net.conv("sum", 1, 1, {0.0001f, 1, 1, 1}, {0});
  net.end();
  QuantizeOptions options = plain(pictures(2, 1, 16));
  options.min_snr_db = 38;
  const Error error = failure(net.graph, options);
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(error.message.find("--precision auto") != std::string::npos);
  QuantizeReport report;
  const Graph graph = quantized(net.graph, options, report, Precision::kAuto);
  CHECK(report.snr_db >= 38);
  size_t kept = 0;
  for (const QuantizedLayer& layer : report.layers) kept += layer.int8 ? 0 : 1;
  CHECK(kept >= 1);
  CHECK(kept == count_of(graph, format::OpKind::kConv2d));
}

TEST_CASE("targets give the loss in dB") {
  Random random(61);
  Net net(1, 40);
  net.random_conv("a", 4, random);
  net.random_conv("b", 1, random);
  net.end();
  QuantizeOptions options = plain(pictures(2, 1, 40));
  for (CalibrationSample& sample : options.samples) sample.target = sample.inputs[0];
  options.max_loss_db = 50;
  QuantizeReport report;
  quantized(net.graph, options, report);
  REQUIRE(report.has_targets);
  CHECK(report.loss_db == Approx(report.psnr_f32_db - report.psnr_int8_db));
  CHECK(report.samples == 2);
  CHECK(report.layers[0].bytes_f32 == 144);
  CHECK(report.layers[0].bytes_entries == 9 * 44);
  CHECK(report.layers[0].bytes_csr > 20);
}

TEST_CASE("a systematic error of rounded weights goes into the bias") {
  Net net(1, 16);
  net.conv("spread", 8, 1, std::vector<float>(8, 1), std::vector<float>(8, 0));
  // Seven weights are rounded to 0; what they add to positive values has a mean.
  std::vector<float> weights(8, 0.4f / 127);
  weights[0] = 1;
  net.conv("sum", 1, 1, weights, {0});
  net.end();
  QuantizeOptions options = plain(pictures(2, 1, 16));
  QuantizeReport without, with;
  quantized(net.graph, options, without);
  options.correct_bias = true;
  quantized(net.graph, options, with);
  CHECK(with.snr_db > without.snr_db + 3);
}

TEST_CASE("the loss is measured on samples that chose nothing") {
  Random random(67);
  Net net(1, 16);
  net.random_conv("a", 4, random);
  net.random_conv("b", 1, random);
  net.end();
  // The samples held out go far beyond the range that the others show: judged on them the integers are bad.
  QuantizeOptions options = plain(pictures(8, 1, 16));
  for (const size_t i : {size_t{3}, size_t{7}}) {
    for (float& v : options.samples[i].inputs[0].data) v = 3 * v - 1;
  }
  QuantizeReport held_out, all;
  quantized(net.graph, options, held_out);
  CHECK(held_out.samples == 8);
  CHECK(held_out.held_out == 2);
  options.min_snr_db = held_out.snr_db + 1;
  CHECK(failure(net.graph, options).message.find("signal to noise") != std::string::npos);
  options.min_snr_db = 0, options.hold_out = false;
  quantized(net.graph, options, all);
  CHECK(all.held_out == 0);
  CHECK(all.snr_db > held_out.snr_db + 6);
  // What was chosen does not know of the samples held out.
  options.samples.erase(options.samples.begin() + 7), options.samples.erase(options.samples.begin() + 3);
  const Graph without = quantized(net.graph, options);
  options.samples = pictures(8, 1, 16), options.hold_out = true;
  const Graph with = quantized(net.graph, options);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(constant<float>(integer_convs(with)[i], 3) == constant<float>(integer_convs(without)[i], 3));
    CHECK(constant<int8_t>(integer_convs(with)[i], 1) == constant<int8_t>(integer_convs(without)[i], 1));
  }
}

TEST_CASE("channels of unlike size and sign share the steps after equalisation") {
  // Channel 0 is large and positive, channel 1 small and negative; both matter alike in the end.
  for (const bool prelu : {true, false}) {
    Net net(1, 16);
    std::vector<float> slope;
    if (prelu) slope = {0.25f, 0.5f};
    net.conv("a", 2, 1, {4, -0.05f}, {0, 0}, format::UnaryKind::kIdentity, 0, 0, slope);
    net.conv("b", 1, 1, {0.25f, -20}, {0});
    net.end();
    QuantizeOptions options = plain(pictures(2, 1, 16));
    options.method = CalibrationMethod::kMse;
    options.min_snr_db = -100;
    QuantizeReport before, after;
    quantized(net.graph, options, before);
    options.equalize = true;
    const Graph graph = quantized(net.graph, options, after);
    CHECK(after.snr_db > before.snr_db + 6);
    // Turned over, nothing is negative any more.
    CHECK(integer_convs(graph)[0]->as<format::QuantConv2dParams>()->out_zero_point < 5);
    if (prelu) {
      const auto scale = constant<float>(integer_convs(graph)[0], 3),
                 negative = constant<float>(integer_convs(graph)[0], 4);
      CHECK(negative[0] == Approx(0.25 * scale[0]));
      CHECK(scale[1] == Approx(0.5 * negative[1]));
    }
  }
}

TEST_CASE("fitted weights come nearer to f32 than rounded ones, and keep the rules") {
  Random random(81);
  Net net(1, 32);
  net.random_conv("a", 6, random, format::UnaryKind::kIdentity, random.list(6));
  std::vector<float> weights = random.list(5 * 6 * 9, 0.3f);
  for (size_t i = 0; i < weights.size(); i += 3) weights[i] = 0;
  net.conv("b", 5, 3, weights, random.list(5, 0.1f), format::UnaryKind::kRelu);
  net.random_conv("c", 2, random);
  net.end();
  QuantizeOptions options = plain(pictures(4, 1, 32));
  QuantizeReport before, after;
  quantized(net.graph, options, before);
  options.fit_weights = true;
  const Graph graph = quantized(net.graph, options, after);
  CHECK(after.snr_db > before.snr_db);
  const auto w8 = constant<int8_t>(integer_convs(graph).at(1), 1);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) CHECK(w8[i] == 0);
    if (i / 9 % 2 == 0) CHECK(std::abs(w8[i]) + std::abs(w8[i + 9]) <= 128);
  }
}

TEST_CASE("an integer graph becomes a program that verifies") {
  Random random(71);
  Net net(3, 16);
  net.random_conv("a", 8, random, format::UnaryKind::kRelu);
  net.random_conv("b", 3, random);
  net.end();
  QuantizeOptions options;
  options.min_snr_db = 20;
  options.samples = pictures(2, 3, 16);
  Graph graph = quantized(net.graph, options);
  const auto program = compiler::emit(std::move(graph), {});
  INFO((program.ok() ? "" : program.error().message));
  REQUIRE(program.ok());
  for (const format::Operator& op : program->operators) {
    if (op.kind() == format::OpKind::kQuantConv2d) CHECK(format::check_quant_conv(*program, op, op.name).ok());
  }
}
