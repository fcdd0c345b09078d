#include "tune/graph_network.h"

#include <torch/csrc/autograd/autograd.h>

#include <fstream>
#include <sstream>

#include "catch.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/interpret.h"
#include "graph/text.h"
#include "tests/tune/random_graph.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;
using format::CoordinateMode;
using format::ResizeMode;
using format::UnaryKind;
using graph::Graph;

namespace {

GraphNetwork network_of(const Graph& graph) {
  auto network = GraphNetwork::create(copy_graph(graph, {}).value());
  INFO((network.ok() ? "" : network.error().message));
  REQUIRE(network.ok());
  return std::move(network).value();
}

torch::Tensor tensor_of(const FloatTensor& t) { return torch::tensor(t.data).view(t.shape.dims()); }

/// Two pictures at once against the compiler's interpreter on each.
void check_same_as_interpreter(const Graph& graph, int64_t height, int64_t width) {
  const torch::NoGradGuard no_grad;
  const GraphNetwork network = network_of(graph);
  const int64_t channels = graph.inputs()[0]->shape()[1];
  const FloatTensor pictures[] = {make_picture(channels, height, width, 3), make_picture(channels, height, width, 4)};
  const torch::Tensor both = torch::cat({tensor_of(pictures[0]), tensor_of(pictures[1])});
  const torch::Tensor out = network.forward(network.deployed(), both);
  for (int64_t i = 0; i < 2; ++i) {
    const auto expected = compiler::interpret(graph, std::span(&pictures[i], 1));
    REQUIRE(expected.ok());
    const torch::Tensor reference = tensor_of((*expected)[0]);
    REQUIRE(out[i].sizes() == reference[0].sizes());
    CHECK((out[i] - reference[0]).abs().max().item<double>() < 1e-5);
  }
}

Graph upscaler(uint64_t seed) {
  GraphBuilder net(1, seed);
  graph::Value* input = net.last;
  net.conv("head", 6, window(3), true);
  net.conv("body", 6, window(3, UnaryKind::kRelu));
  net.conv("tail", 4, window(3));
  net.add("shuffle", format::DepthToSpaceParams{});
  graph::Value* detail = net.last;
  net.add("base", resize(ResizeMode::kLinear, CoordinateMode::kHalfPixel, 2), {input});
  net.add("sum", format::BinaryParams{format::BinaryKind::kAdd}, {detail, net.last});
  return net.end();
}

}  // namespace

TEST_CASE("convolutions of every kind give the interpreter's numbers") {
  GraphBuilder net(3, 11);
  net.conv("plain", 8, window(3), true);
  format::Conv2dParams grouped = window(3, UnaryKind::kLeakyRelu, 0.2f);
  grouped.group = 4;
  net.conv("grouped", 12, grouped);
  format::Conv2dParams depthwise = window(5, UnaryKind::kClip, -0.5f, 0.6f);
  depthwise.group = 12;
  net.conv("depthwise", 12, depthwise);
  net.conv("point", 7, window(1, UnaryKind::kSigmoid));
  format::Conv2dParams strided = window(3, UnaryKind::kTanh);
  strided.stride = {2, 1};
  net.conv("strided", 6, strided);
  format::Conv2dParams lopsided = window(3, UnaryKind::kRelu);
  lopsided.dilation = {1, 2};
  lopsided.pads = {2, 3, 0, 1};
  net.conv("lopsided", 5, lopsided);
  check_same_as_interpreter(net.end(), 17, 14);
}

TEST_CASE("transposed convolutions, slopes of their own and arithmetic give the interpreter's numbers") {
  GraphBuilder net(2, 12);
  net.conv("head", 6, window(3));
  net.add("slopes", format::PreluParams{}, {net.last, net.constant("slopes.s", Shape{6, 1, 1}, 0.3)});
  graph::Value* trunk = net.last;
  format::ConvTranspose2dParams up;
  up.kernel = {4, 3};
  up.stride = {2, 2};
  up.pads = {1, 0, 1, 1};
  up.output_padding = {0, 1};
  up.group = 2;
  net.add("up", up, {trunk, net.constant("up.w", Shape{6, 2, 4, 3}, 0.2), net.constant("up.b", Shape{4}, 0.1)});
  net.add("scaled", format::BinaryParams{format::BinaryKind::kMul},
          {net.last, net.constant("factor", Shape{4, 1, 1}, 1)});
  graph::Value* scaled = net.last;
  net.add("half", format::BinaryParams{format::BinaryKind::kDiv},
          {scaled, net.graph.add_constant("two", Shape{}, std::vector<float>{2})});
  net.add("difference", format::BinaryParams{format::BinaryKind::kSub}, {scaled, net.last});
  net.add("leaky", format::UnaryParams{UnaryKind::kLeakyRelu, 0.1f, 0});
  check_same_as_interpreter(net.end(), 9, 12);
}

TEST_CASE("what moves samples gives the interpreter's numbers") {
  GraphBuilder net(2, 13);
  net.conv("head", 8, window(3));
  graph::Value* head = net.last;
  net.add("mirrored", format::PadParams{format::PadMode::kReflect, {0, 0, 2, 1, 0, 0, 1, 3}, 0});
  net.add("repeated", format::PadParams{format::PadMode::kEdge, {0, 0, 0, 2, 0, 0, 3, 0}, 0});
  net.add("framed", format::PadParams{format::PadMode::kConstant, {0, 1, -2, 0, 0, 0, 0, 2}, 0.25f});
  net.add("cut", format::SliceParams{{1, 2, 3}, {1, -1, 0}, {9, -13, 1000}, {1, -1, 1}});
  net.add("thinned", format::SliceParams{{3}, {1}, {17}, {2}});
  net.add("back", resize(ResizeMode::kNearest, CoordinateMode::kAsymmetric, 2));
  net.add("folded", format::SpaceToDepthParams{2});
  net.add("unfolded", format::DepthToSpaceParams{2, format::DepthToSpaceMode::kDcr});
  net.add("turned", format::TransposeParams{{0, 1, 3, 2}});
  net.add("crd", format::DepthToSpaceParams{2, format::DepthToSpaceMode::kCrd});
  net.add("joined", format::ConcatParams{1}, {net.last, net.last});
  net.conv("tail", 3, window(3));
  (void)head;
  check_same_as_interpreter(net.end(), 12, 14);
}

TEST_CASE("reshaping keeps pictures apart") {
  GraphBuilder net(1, 14, 6, 8);
  net.conv("head", 8, window(3));
  net.add("split", format::ReshapeParams{{1, 2, 2, 2, 6, 8}});
  net.add("swap", format::TransposeParams{{0, 3, 4, 1, 5, 2}});
  net.add("merge", format::ReshapeParams{{1, 2, 12, -1}});
  check_same_as_interpreter(net.end(), 6, 8);
}

TEST_CASE("resizing gives the interpreter's numbers") {
  for (const ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
    for (const CoordinateMode coordinates : {CoordinateMode::kHalfPixel, CoordinateMode::kPytorchHalfPixel,
                                             CoordinateMode::kAlignCorners, CoordinateMode::kAsymmetric}) {
      for (const float factor : {2.0f, 0.6f, 1.7f}) {
        GraphBuilder net(1, 15);
        net.conv("head", 2, window(3));
        format::ResizeParams p = resize(mode, coordinates, factor);
        p.exclude_outside = mode == ResizeMode::kCubic && factor == 2.0f;
        net.add("resize", p);
        check_same_as_interpreter(net.end(), 11, 9);
      }
    }
  }
}

TEST_CASE("graph to network to graph changes nothing that was not trained") {
  const Graph graph = upscaler(21);
  const GraphNetwork network = network_of(graph);
  CHECK(graph::print(network.graph(network.deployed()).value()) == graph::print(graph));
  CHECK(network.parameters().size() == 7);
  CHECK(network.parameters()[2].name == "head.slope");
  CHECK(network.parameters()[5].name == "tail.weight");
}

TEST_CASE("the graph holds the numbers that were trained") {
  const GraphNetwork network = network_of(upscaler(22));
  {
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& p : network.parameters()) torch::Tensor(p.tensor).mul_(0.9).add_(0.01);
  }
  check_same_as_interpreter(network.graph(network.deployed()).value(), 8, 10);
  const FloatTensor picture = make_picture(1, 8, 10, 3);
  const torch::Tensor own = network.forward(network.deployed(), tensor_of(picture));
  const auto given = compiler::interpret(network.graph(network.deployed()).value(), std::span(&picture, 1)).value();
  CHECK((own - tensor_of(given[0])).abs().max().item<double>() < 1e-5);
}

TEST_CASE("gradients are the differences of the loss") {
  GraphBuilder net(1, 23);
  net.conv("head", 3, window(3), true);
  net.add("slopes", format::PreluParams{}, {net.last, net.constant("slopes.s", Shape{3, 1, 1}, 0.3)});
  format::ConvTranspose2dParams up;
  up.kernel = {2, 2};
  up.stride = {2, 2};
  net.add("up", up, {net.last, net.constant("up.w", Shape{3, 2, 2, 2}, 0.4), net.constant("up.b", Shape{2}, 0.1)});
  net.add("cubic", resize(ResizeMode::kCubic, CoordinateMode::kHalfPixel, 0.5f));
  const GraphNetwork network = network_of(net.end());
  const torch::Tensor input = tensor_of(make_picture(1, 7, 6, 5)) - 0.5, target = torch::full({1, 2, 7, 6}, 0.3);
  const auto loss = [&] { return (network.forward(network.deployed(), input) - target).square().sum(); };
  loss().backward();
  for (const NamedTensor& p : network.parameters()) {
    const torch::NoGradGuard no_grad;
    torch::Tensor values = p.tensor.view(-1);
    const torch::Tensor gradient = p.tensor.grad().view(-1);
    for (int64_t i = 0; i < values.numel(); ++i) {
      constexpr float kStep = 1e-3f;
      const float before = values[i].item<float>();
      values[i] = before + kStep;
      const double up_loss = loss().item<double>();
      values[i] = before - kStep;
      const double down_loss = loss().item<double>();
      values[i] = before;
      const double expected = (up_loss - down_loss) / (2.0 * static_cast<double>(kStep));
      INFO(p.name << " " << i);
      CHECK(gradient[i].item<double>() == Approx(expected).epsilon(0.03).margin(0.03));
    }
  }
}

TEST_CASE("what cannot be trained is named") {
  const auto message = [](Graph graph) {
    const auto network = GraphNetwork::create(std::move(graph));
    REQUIRE_FALSE(network.ok());
    CHECK(network.error().code == ErrorCode::kUnsupported);
    return network.error().message;
  };
  GraphBuilder integers(1);
  integers.add("steps", format::QuantizeParams{});
  integers.add("real", format::DequantizeParams{},
               {integers.last, integers.graph.add_constant("s", Shape{}, std::vector<float>{1})});
  CHECK(message(integers.end()).find("'steps' (Quantize)") != std::string::npos);
  GraphBuilder stacked(1);
  stacked.conv("conv", 4, window(3));
  stacked.add("stack", format::ConcatParams{0}, {stacked.last, stacked.last});
  CHECK(message(stacked.end()).find("'stack' (Concat)") != std::string::npos);
  GraphBuilder idle(1);
  idle.add("relu", format::UnaryParams{UnaryKind::kRelu, 0, 0});
  CHECK(message(idle.end()).find("nothing to train") != std::string::npos);
}

TEST_CASE("inputs that do not fit are refused with the node's name") {
  GraphBuilder net(1, 16);
  net.conv("head", 4, window(3));
  net.add("fold", format::SpaceToDepthParams{2});
  const GraphNetwork network = network_of(net.end());
  CHECK(check_input(network, {2, 1, 8, 6}).ok());
  const Status odd = check_input(network, {2, 1, 7, 6});
  REQUIRE_FALSE(odd.ok());
  CHECK(odd.error().message.find("'fold'") != std::string::npos);
  CHECK_FALSE(check_input(network, {2, 3, 8, 6}).ok());
}

TEST_CASE("the shipped network is the same in libtorch") {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  std::ifstream file(std::string(source != nullptr ? source : ".") + "/engine/models/f32/sr2x-s.onnx",
                     std::ios::binary);
  std::ostringstream stream;
  stream << file.rdbuf();
  const std::string bytes = stream.str();
  auto graph = compiler::import_onnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, {});
  REQUIRE(graph.ok());
  REQUIRE(compiler::run_passes(*graph).ok());
  check_same_as_interpreter(*graph, 20, 31);
  CHECK(network_of(*graph).parameters().size() == 17);
}
