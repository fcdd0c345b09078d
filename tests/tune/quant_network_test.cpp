#include "tune/qat/quant_network.h"

#include <torch/csrc/autograd/autograd.h>

#include <cstring>

#include "catch.h"
#include "coco/compile.h"
#include "coco/session.h"
#include "compiler/compile_program.h"
#include "compiler/emit.h"
#include "compiler/onnx/export.h"
#include "compiler/quantize/interpret.h"
#include "compiler/quantize/quantize.h"
#include "format/program.h"
#include "graph/text.h"
#include "tests/tune/random_graph.h"
#include "tune/qat/quant_chain.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;
using format::CoordinateMode;
using format::ResizeMode;
using format::UnaryKind;
using graph::Graph;

namespace {

torch::Tensor tensor_of(const FloatTensor& t) { return torch::tensor(t.data).view(t.shape.dims()); }

Graph quantized(const Graph& f32, bool carelessly = false) {
  QuantizeOptions options;
  options.between_convolutions = false;
  if (carelessly) options.equalize = options.fit_weights = options.refine_ranges = options.correct_bias = false;
  if (carelessly) options.method = CalibrationMethod::kMinMax;
  options.min_snr_db = 0;
  for (uint64_t i = 0; i < 4; ++i)
    options.samples.push_back({{make_picture(f32.inputs()[0]->shape()[1], 24, 28, 50 + i)}, {}});
  QuantizeReport report;
  auto graph = compiler::quantize(f32, Precision::kInt8, options, report);
  INFO((graph.ok() ? "" : graph.error().message));
  REQUIRE(graph.ok());
  return std::move(graph).value();
}

constexpr QuantTraining kAll{true, true};

QuantNetwork network_of(const Graph& integer, const Graph* f32, const QuantTraining& training = kAll) {
  auto network = QuantNetwork::create(copy_graph(integer, {}).value(), f32, training);
  INFO((network.ok() ? "" : network.error().message));
  REQUIRE(network.ok());
  return std::move(network).value();
}

/// A stack that is added to the interpolated input, as the shipped upscalers are.
Graph upscaler(uint64_t seed, bool pruned, int64_t width = 8) {
  GraphBuilder net(1, seed);
  graph::Value* input = net.last;
  net.conv("head", 8, window(3), true);
  net.conv("body", 8, window(3), true, pruned);
  net.conv("relu", 6, window(3, UnaryKind::kRelu), false, pruned);
  net.conv("leaky", width, window(3, UnaryKind::kLeakyRelu, 0.1f), false, pruned);
  net.conv("tail", 4, window(3));
  net.add("shuffle", format::DepthToSpaceParams{});
  graph::Value* detail = net.last;
  net.add("base", resize(ResizeMode::kLinear, CoordinateMode::kHalfPixel, 2), {input});
  net.add("sum", format::BinaryParams{format::BinaryKind::kAdd}, {detail, net.last});
  return net.end();
}

/// Groups, strides, clipping, a residual sum between integer convolutions, a result through a sigmoid.
Graph mixture(uint64_t seed) {
  GraphBuilder net(3, seed);
  format::Conv2dParams strided = window(3, UnaryKind::kClip, -0.2f, 0.7f);
  strided.stride = {2, 2};
  net.conv("strided", 12, strided);
  format::Conv2dParams depthwise = window(3);
  depthwise.group = 12;
  net.conv("depthwise", 12, depthwise, true);
  format::Conv2dParams grouped = window(3, UnaryKind::kRelu);
  grouped.group = 4;
  grouped.dilation = {1, 2};
  grouped.pads = {0, 3, 2, 1};
  net.conv("grouped", 12, grouped);
  graph::Value* trunk = net.last;
  net.conv("point", 12, window(1));
  net.add("residual", format::BinaryParams{format::BinaryKind::kAdd}, {trunk, net.last});
  net.conv("last", 3, window(3, UnaryKind::kSigmoid), false, true);
  return net.end();
}

torch::Tensor run(const QuantNetwork& network, const FloatTensor& picture) {
  const torch::NoGradGuard no_grad;
  return network.forward(network.deployed(), tensor_of(picture)).contiguous();
}

/// Steps of Adam's size towards another network's results, so that everything moves.
double train(const QuantNetwork& network, const torch::Tensor& target, const torch::Tensor& input, int steps,
             double rate) {
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    const torch::Tensor loss = (network.forward(network.deployed(), input) - target).square().mean();
    loss.backward();
    last = loss.item<double>();
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& p : network.parameters()) {
      torch::Tensor parameter = p.tensor;
      REQUIRE(parameter.grad().defined());
      parameter.sub_(parameter.grad().sign(), rate * (1.0 - double(i) / steps));
      parameter.mutable_grad().zero_();
    }
  }
  return last;
}

std::vector<uint8_t> pixels(const float* values, int64_t count) {
  std::vector<uint8_t> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(static_cast<uint8_t>(std::nearbyint(std::clamp(values[i], 0.0f, 1.0f) * 255.0f)));
  return result;
}

std::shared_ptr<const Model> model_of(Graph graph) {
  auto program = compiler::emit(std::move(graph), {});
  INFO((program.ok() ? "" : program.error().message));
  REQUIRE(program.ok());
  const auto bytes = format::write_program(*program);
  REQUIRE(bytes.ok());
  return Model::from_bytes(*bytes).value();
}

/// The network's pixels as the engine's session gives them.
std::vector<uint8_t> engine_pixels(const std::shared_ptr<const Model>& model, const FloatTensor& picture) {
  SessionOptions options;
  options.threads = 1;
  auto session = Session::create(model, std::span(&picture.shape, 1), options);
  REQUIRE(session.ok());
  const Shape shape = (*session)->outputs()[0].shape;
  std::vector<float> result(static_cast<size_t>(shape.element_count().value()));
  const TensorView in{DataType::kF32, picture.shape, picture.data.data()};
  const MutableTensorView out{DataType::kF32, shape, result.data()};
  REQUIRE((*session)->run(std::span(&in, 1), std::span(&out, 1)).ok());
  return pixels(result.data(), static_cast<int64_t>(result.size()));
}

/// The same from 8-bit planes to 8-bit planes, as video goes.
std::vector<uint8_t> plane_pixels(const std::shared_ptr<const Model>& model, const FloatTensor& picture) {
  ImageJob job;
  job.in_width = static_cast<int>(picture.shape[3]);
  job.in_height = static_cast<int>(picture.shape[2]);
  job.out_width = 2 * job.in_width;
  job.out_height = 2 * job.in_height;
  auto session = ImageSession::create(model, job, {});
  REQUIRE(session.ok());
  const std::vector<uint8_t> in = pixels(picture.data.data(), static_cast<int64_t>(picture.data.size()));
  std::vector<uint8_t> out(4 * in.size());
  const Status status = (*session)->run({in.data(), job.in_width, job.in_width, job.in_height},
                                        {out.data(), job.out_width, job.out_width, job.out_height});
  REQUIRE(status.ok());
  return out;
}

struct Difference {
  size_t pixels = 0, different = 0;
  int largest = 0;
  void add(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    REQUIRE(a.size() == b.size());
    pixels += a.size();
    for (size_t i = 0; i < a.size(); ++i) {
      different += a[i] != b[i] ? 1 : 0;
      largest = std::max(largest, std::abs(a[i] - b[i]));
    }
  }
};

size_t zeros_moved(const Graph& f32, const Graph& integer) {
  std::vector<const graph::Node*> convs;
  for (const graph::Node& node : f32.nodes()) {
    if (node.kind() == format::OpKind::kConv2d) convs.push_back(&node);
  }
  size_t i = 0, moved = 0;
  for (const graph::Node& node : integer.nodes()) {
    if (node.kind() != format::OpKind::kQuantConv2d) continue;
    const auto reference = convs[i++]->input(1)->floats();
    const auto own = node.input(1)->constant().bytes;
    REQUIRE(own.size() == reference.size());
    for (size_t k = 0; k < own.size(); ++k) moved += reference[k] == 0 && own[k] != 0 ? 1 : 0;
  }
  REQUIRE(i == convs.size());
  return moved;
}

void check_deployed(const Graph& f32, bool planes, const QuantTraining& training) {
  const QuantNetwork network = network_of(quantized(f32), &f32, training);
  const FloatTensor sample = make_picture(f32.inputs()[0]->shape()[1], 24, 24, 70);
  const torch::Tensor wanted = run(network, sample) * 0.9 + 0.05;
  train(network, wanted, tensor_of(sample), 25, 4e-3);
  auto graph = network.graph(network.deployed());
  INFO((graph.ok() ? "" : graph.error().message));
  REQUIRE(graph.ok());
  REQUIRE(graph::verify(*graph).ok());
  CHECK(zeros_moved(f32, *graph) == 0);
  const auto model = model_of(copy_graph(*graph, {}).value());
  Difference difference;
  for (uint64_t seed = 80; seed < 84; ++seed) {
    // Square ones of a multiple of 8 run on the trainer's own kernels where the network allows it.
    const FloatTensor picture =
        make_picture(f32.inputs()[0]->shape()[1], 48, seed % 2 == 0 ? 48 : 57 + int64_t(seed), seed);
    const torch::Tensor own = run(network, picture);
    const std::vector<uint8_t> expected = pixels(own.data_ptr<float>(), own.numel());
    difference.add(expected, engine_pixels(model, picture));
    if (planes) difference.add(expected, plane_pixels(model, picture));
    // The compiler's own interpreter has the very sums.
    const auto interpreted = compiler::interpret(*graph, std::span(&picture, 1)).value();
    if (planes) CHECK(std::memcmp(interpreted[0].data.data(), own.data_ptr<float>(), size_t(own.numel()) * 4) == 0);
  }
  CAPTURE(difference.pixels, difference.different, difference.largest);
  CHECK(difference.pixels > 10000);
  CHECK(difference.largest <= 1);
  CHECK(difference.different * 10000 <= difference.pixels);

  // As standard ONNX and back: the same program.
  const auto onnx = compiler::export_onnx(model->program());
  INFO((onnx.ok() ? "" : onnx.error().message));
  REQUIRE(onnx.ok());
  const auto program = compiler::compile_program({reinterpret_cast<const uint8_t*>(onnx->data()), onnx->size()}, {});
  REQUIRE(program.ok());
  const auto again = Model::from_program(*program).value();
  const FloatTensor picture = make_picture(f32.inputs()[0]->shape()[1], 30, 44, 90);
  CHECK(engine_pixels(again, picture) == engine_pixels(model, picture));
}

}  // namespace

TEST_CASE("weights round to the engine's integers, pair rule included") {
  const WeightPairs pairs = find_pairs(2, 3, 1);
  const torch::Tensor weight =
      torch::tensor({100.f, 3.2f, -90.4f, 1.5f, 5.f, 300.f, 0.5f, -2.5f, 127.f, 1.f, 127.f, -127.f}).view({2, 3, 2, 1});
  const torch::Tensor expected =
      torch::tensor({69.f, 3.f, -59.f, 2.f, 5.f, 127.f, 0.f, -2.f, 127.f, 1.f, 127.f, -127.f}).view({2, 3, 2, 1});
  CHECK(torch::equal(round_weights(weight, pairs), expected));
  Random random(3);
  for (int64_t groups : {1, 2}) {
    const int64_t inputs = 5;
    torch::Tensor random_weight = torch::empty({4, inputs, 3, 3});
    for (int64_t i = 0; i < random_weight.numel(); ++i)
      random_weight.data_ptr<float>()[i] = static_cast<float>(60 * random.normal());
    const torch::Tensor q = round_weights(random_weight, find_pairs(4, inputs, groups)).abs();
    const torch::Tensor plain = random_weight.round().clamp(-127, 127).abs();
    CHECK(q.max().item<float>() <= 127);
    for (int64_t m = 0; m < 4; ++m) {
      const int64_t begin = m / (4 / groups) * inputs;
      for (int64_t c = begin % 2; c + 1 < inputs; c += 2) {
        const torch::Tensor both = q[m][c] + q[m][c + 1], wanted = (plain[m][c] + plain[m][c + 1]).clamp_max(128);
        CHECK(torch::equal(both, wanted));
      }
    }
  }
}

TEST_CASE("a weight that is held back gets only the gradients that lead back") {
  const torch::Tensor weight = torch::tensor({200.f, 200.f, -200.f, 5.3f}).view({4, 1, 1, 1}).set_requires_grad(true);
  const torch::Tensor outward = torch::tensor({-1.f, 1.f, 1.f, -1.f}).view({4, 1, 1, 1});
  (round_weights(weight, {}) * outward).sum().backward();
  CHECK(torch::equal(weight.grad().view(-1), torch::tensor({0.f, 1.f, 0.f, -1.f})));
}

TEST_CASE("gradients of scales are those of the product, and end where a clamp holds") {
  const torch::Tensor sums = torch::tensor({-40.f, -3.f, 5.f, 900.f}).view({1, 1, 2, 2}).set_requires_grad(true);
  const torch::Tensor scale = torch::tensor({0.25f}).set_requires_grad(true);
  const torch::Tensor negative = torch::tensor({0.5f}).set_requires_grad(true);
  const torch::Tensor steps = requantize(sums, scale, negative, -30, 100);
  CHECK(torch::equal(steps.view(-1), torch::tensor({-20.f, -2.f, 1.f, 100.f})));
  steps.sum().backward();
  CHECK(torch::equal(sums.grad().view(-1), torch::tensor({0.5f, 0.5f, 0.25f, 0.f})));
  CHECK(scale.grad().item<float>() == 5);
  CHECK(negative.grad().item<float>() == -43);
}

TEST_CASE("before training it is the quantized network, bit by bit") {
  for (const bool pruned : {false, true}) {
    const Graph f32 = upscaler(31, pruned), integer = quantized(f32);
    const QuantNetwork network = network_of(integer, &f32);
    CHECK(graph::print(network.graph(network.deployed()).value()) == graph::print(integer));
    const FloatTensor picture = make_picture(1, 33, 41, 60);
    const torch::Tensor own = run(network, picture);
    const auto reference = compiler::interpret(integer, std::span(&picture, 1)).value();
    CHECK(std::memcmp(own.data_ptr<float>(), reference[0].data.data(), size_t(own.numel()) * sizeof(float)) == 0);
  }
}

TEST_CASE("the trainer's own kernels give the integers and gradients of libtorch") {
  Random random(40);
  const auto numbers = [&](std::vector<int64_t> shape, double size, bool whole) {
    torch::Tensor t = torch::empty(shape);
    for (int64_t i = 0; i < t.numel(); ++i) t.data_ptr<float>()[i] = static_cast<float>(size * random.normal());
    return (whole ? t.round() : t.abs()).set_requires_grad(true);
  };
  std::vector<ChainNumbers> layers;
  const int64_t channels[] = {3, 8, 4, 12};
  for (size_t l = 0; l < 3; ++l) {
    const int64_t in = channels[l], out = channels[l + 1];
    layers.push_back({numbers({out, in, 3, 3}, 30, true), numbers({out}, 900, true), numbers({out}, 3e-3, false),
                      l == 2 ? torch::Tensor() : numbers({out}, 2e-3, false)});
  }
  const torch::Tensor bounds = torch::tensor({-20.f, 200.f, -90.f, 165.f, -INFINITY, INFINITY});
  REQUIRE(chain_supported({3, 8, 4, 12}));
  torch::Tensor input = torch::empty({2, 3, 16, 16});
  for (int64_t i = 0; i < input.numel(); ++i) input.data_ptr<float>()[i] = static_cast<float>(random.below(256));
  const auto gradients = [&](const torch::Tensor& out) {
    out.square().mean().backward();
    std::vector<torch::Tensor> all;
    for (const ChainNumbers& l : layers) {
      for (const torch::Tensor& t : {l.weight, l.bias, l.scale, l.negative}) {
        if (!t.defined()) continue;
        all.push_back(t.grad().clone());
        torch::Tensor(t).mutable_grad().reset();
      }
    }
    return all;
  };
  torch::Tensor expected = input;
  for (size_t l = 0; l < 3; ++l) {
    const torch::Tensor sums = torch::conv2d(expected, layers[l].weight, layers[l].bias, 1, 1);
    const auto* bound = bounds.data_ptr<float>() + 2 * l;
    expected = l == 2 ? scale_sums(sums, layers[l].scale, layers[l].negative)
                      : requantize(sums, layers[l].scale, layers[l].negative, double(bound[0]), double(bound[1]));
  }
  const torch::Tensor own = run_chain(input, bounds, layers);
  CHECK(torch::equal(own, expected));
  const auto own_gradients = gradients(own), wanted = gradients(expected);
  REQUIRE(own_gradients.size() == 11);
  for (size_t i = 0; i < wanted.size(); ++i)
    CHECK((own_gradients[i] - wanted[i]).norm().item<double>() < 1e-4 * wanted[i].norm().item<double>());
}

TEST_CASE("what is trained is what the engine computes") {
  SECTION("an upscaler") { check_deployed(upscaler(32, false), true, kAll); }
  SECTION("an upscaler with zeros, which stay") { check_deployed(upscaler(33, true), true, kAll); }
  SECTION("steps and ranges as calibrated") { check_deployed(upscaler(34, false, 7), true, {false, false}); }
  SECTION("groups, strides, clips and a residual") { check_deployed(mixture(35), false, kAll); }
}

TEST_CASE("training brings an integer network nearer to the f32 one") {
  const Graph f32 = upscaler(36, false);
  const QuantNetwork network = network_of(quantized(f32, true), &f32);
  const FloatTensor sample = make_picture(1, 32, 32, 71);
  const auto target = compiler::interpret(f32, std::span(&sample, 1)).value();
  const torch::Tensor wanted = tensor_of(target[0]);
  const double before = (run(network, sample) - wanted).square().mean().item<double>();
  const double after = train(network, wanted, tensor_of(sample), 80, 2e-4);
  CAPTURE(before, after);
  CHECK(after < 0.7 * before);
}

TEST_CASE("an integer network without its f32 one can be trained, a f32 one cannot") {
  const QuantNetwork network = network_of(quantized(upscaler(37, true)), nullptr);
  CHECK(network.parameters()[0].name == "head.weight");
  const auto none = QuantNetwork::create(upscaler(37, false), nullptr, {});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().message.find("no integer convolution") != std::string::npos);
  const Graph other = mixture(37);
  const auto wrong = QuantNetwork::create(quantized(upscaler(37, false)), &other, {});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == ErrorCode::kInvalidArgument);
}
