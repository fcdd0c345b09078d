// Layers in integers: their weights, scales, biases and activations, and chains of them.
#include <cmath>

#include "catch.h"
#include "compiler/emit.h"
#include "compiler/quantize/interpret.h"
#include "compiler/quantize/layer.h"
#include "compiler/quantize_support.h"
#include "format/verify_quant.h"
#include "kernels/dense/dense.h"

using namespace coco;
using namespace coco::testing;

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
