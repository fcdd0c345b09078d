// Networks in integers: what stands between convolutions, what stays f32, and what is lost.
#include <limits>

#include "catch.h"
#include "compiler/quantize_support.h"

using namespace coco;
using namespace coco::testing;

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
  const Net net = chain(40, 61);
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
  const Net net = chain(16, 67);
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
