#include <algorithm>
#include <cmath>
#include <string>

#include "catch.h"
#include "kernels/dense/dense.h"
#include "runtime/line_executor.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

/// Runs a program operator by operator with the scalar references.
std::vector<std::vector<float>> run_reference(const format::Program& program, const std::vector<Shape>& shapes,
                                              const std::vector<std::vector<float>>& inputs) {
  std::vector<std::vector<float>> values(program.values.size());
  for (size_t i = 0; i < inputs.size(); ++i) values[program.inputs[i]] = inputs[i];
  const auto view = [&](int32_t v) -> TensorView {
    if (v < 0) return {};
    if (program.values[v].is_constant()) return {DataType::kF32, shapes[v], program.values[v].constant.bytes.data()};
    return {DataType::kF32, shapes[v], values[v].data()};
  };
  for (const format::Operator& op : program.operators) {
    const int32_t result = op.outputs[0];
    values[result].resize(static_cast<size_t>(*shapes[result].element_count()));
    std::vector<TensorView> in;
    for (int32_t v : op.inputs) in.push_back(view(v));
    const std::vector<MutableTensorView> out{{DataType::kF32, shapes[result], values[result].data()}};
    const auto* row = kernels::select_reference<kernels::DenseSlot>({&op.params, in, out});
    REQUIRE(row != nullptr);
    row->function(op.params, in, out, 0, kernels::dense_rows(shapes[result]));
  }
  std::vector<std::vector<float>> outputs;
  for (int32_t v : program.outputs) outputs.push_back(values[v]);
  return outputs;
}

std::vector<Shape> resolve(const format::Program& program, const std::vector<Shape>& inputs) {
  auto shapes = format::resolve_shapes(program, inputs);
  INFO((shapes.ok() ? "" : shapes.error().message));
  REQUIRE(shapes.ok());
  return *shapes;
}

std::vector<std::vector<float>> run_lines(const format::Program& program, const std::vector<Shape>& shapes,
                                          std::vector<std::vector<float>> inputs, const SessionOptions& options) {
  auto line = runtime::make_line_program(program, shapes, options);
  INFO((line.ok() ? "" : line.error().message));
  REQUIRE(line.ok());
  auto executor = runtime::LineExecutor::create(std::move(line).value(), options);
  REQUIRE(executor.ok());
  std::vector<backends::Binding> bindings;
  std::vector<std::vector<float>> outputs;
  for (size_t i = 0; i < inputs.size(); ++i)
    bindings.push_back(runtime::bind_tensor(inputs[i].data(), shapes[program.inputs[i]]));
  for (int32_t v : program.outputs)
    outputs.emplace_back(static_cast<size_t>(*shapes[v].element_count()), std::nanf(""));
  for (size_t i = 0; i < outputs.size(); ++i)
    bindings.push_back(runtime::bind_tensor(outputs[i].data(), shapes[program.outputs[i]]));
  (*executor)->run(bindings);
  return outputs;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double(a[i]) - double(b[i])) / std::max(1.0, std::abs(double(b[i])));
    worst = std::isfinite(difference) ? std::max(worst, difference) : 1e9;
  }
  return worst;
}

/// Against the references, and the same bits under every tiling and thread count.
void check_program(const format::Program& program, const std::vector<Shape>& input_shapes) {
  const auto shapes = resolve(program, input_shapes);
  Noise noise(7);
  std::vector<std::vector<float>> inputs;
  for (const Shape& shape : input_shapes) inputs.push_back(noise.many(static_cast<size_t>(*shape.element_count())));
  const auto expected = run_reference(program, shapes, inputs);

  SessionOptions whole;
  whole.threads = 1, whole.strip_width = 1 << 20, whole.band_height = 1 << 20;
  const auto untiled = run_lines(program, shapes, inputs, whole);
  for (size_t i = 0; i < expected.size(); ++i) {
    INFO("output " << i << " of " << shapes[program.outputs[i]].to_string());
    CHECK(largest_difference(untiled[i], expected[i]) < 2e-5);
  }
  SessionOptions reference = whole;
  reference.reference_kernels = true;
  const auto scalar = run_lines(program, shapes, inputs, reference);
  for (size_t i = 0; i < expected.size(); ++i) CHECK(largest_difference(scalar[i], expected[i]) < 2e-5);

  for (const auto& [strip, band, threads] : std::vector<std::array<int, 3>>{
           {1, 1, 1}, {2, 3, 2}, {7, 5, 3}, {16, 16, 2}, {33, 1000, 1}, {1000, 2, 4}, {0, 0, 0}}) {
    SessionOptions options;
    options.strip_width = strip, options.band_height = band, options.threads = threads;
    const auto tiled = run_lines(program, shapes, inputs, options);
    INFO("strip " << strip << " band " << band << " threads " << threads);
    CHECK((tiled == untiled));  // parenthesised: the vectors are too long to print
  }
}

const std::vector<std::pair<int, int>> kAwkward = {{1, 1},  {1, 2},   {2, 1},   {3, 3},   {15, 16}, {16, 15},
                                                   {17, 1}, {17, 17}, {33, 17}, {33, 33}, {70, 41}};

}  // namespace

TEST_CASE("super-resolution networks are bit-identical under every tiling") {
  const auto program = super_resolution(8, 3);
  for (const auto& [width, height] : kAwkward) {
    INFO(width << " x " << height);
    check_program(program, {{1, 1, height, width}});
  }
}

TEST_CASE("strips narrower than the halo") {
  NetworkBuilder net(3);
  const int in = net.input({1, 2, kDynamicDim, kDynamicDim});
  format::Conv2dParams wide;
  wide.kernel = {5, 7}, wide.pads = {2, 3, 2, 3};
  int x = net.conv(in, 2, 3, wide);
  format::Conv2dParams dilated;
  dilated.kernel = {3, 3}, dilated.dilation = {2, 3}, dilated.pads = {2, 3, 2, 3};
  dilated.activation = format::UnaryKind::kLeakyRelu, dilated.act_a = 0.1f;
  x = net.conv(x, 3, 5, dilated);
  const auto program = net.finish({x});
  for (const auto& [width, height] : kAwkward) {
    INFO(width << " x " << height);
    check_program(program, {{1, 2, height, width}});
  }
}

TEST_CASE("strides, groups, transposed convolutions and every activation") {
  NetworkBuilder net(5);
  const int in = net.input({1, 4, kDynamicDim, kDynamicDim});
  format::Conv2dParams strided;
  strided.kernel = {3, 3}, strided.stride = {2, 2}, strided.pads = {1, 1, 1, 1}, strided.group = 2;
  strided.activation = format::UnaryKind::kRelu;
  int x = net.conv(in, 4, 6, strided);
  format::Conv2dParams depthwise;
  depthwise.kernel = {3, 3}, depthwise.pads = {1, 1, 1, 1}, depthwise.group = 6;
  depthwise.activation = format::UnaryKind::kTanh;
  x = net.conv(x, 6, 6, depthwise);
  format::Conv2dParams point;
  point.activation = format::UnaryKind::kClip, point.act_a = -0.3f, point.act_b = 0.4f;
  x = net.conv(x, 6, 9, point);
  format::ConvTranspose2dParams up;
  up.kernel = {4, 4}, up.stride = {2, 2}, up.pads = {1, 1, 1, 1};
  x = net.op(up, {x, net.random_constant({9, 3, 4, 4}, 0.1f), net.random_constant({3}, 0.1f)});
  const int sigmoid = net.op(format::UnaryParams{format::UnaryKind::kSigmoid, 0, 0}, {x});
  const auto program = net.finish({sigmoid});
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{2, 2}, {3, 5}, {16, 16}, {17, 33}, {41, 30}}) {
    INFO(width << " x " << height);
    check_program(program, {{1, 4, height, width}});
  }
}

TEST_CASE("columns a stride apart, and every window of a pool") {
  struct Window {
    std::array<int64_t, 2> kernel, stride, dilation;
    std::array<int64_t, 4> pads;
    int64_t group;
  };
  for (const Window& w :
       {Window{{1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1}, Window{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 8},
        Window{{4, 4}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 2}, Window{{3, 5}, {1, 3}, {1, 2}, {1, 4, 1, 3}, 4},
        Window{{7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}, 1}, Window{{2, 1}, {1, 4}, {2, 1}, {2, 0, 0, 0}, 1}}) {
    NetworkBuilder net(11);
    const int in = net.input({1, 8, kDynamicDim, kDynamicDim});
    format::Conv2dParams conv;
    conv.kernel = w.kernel, conv.stride = w.stride, conv.dilation = w.dilation, conv.pads = w.pads,
    conv.group = w.group;
    conv.activation = format::UnaryKind::kRelu;
    const int strided = net.conv(net.conv3x3(in, 8, 8), 8, 16, conv);
    std::vector<int> outputs{strided};
    for (const auto kind : {format::PoolKind::kMax, format::PoolKind::kAverage}) {
      for (const bool flag : {false, true}) {
        format::Pool2dParams pool;
        pool.kind = kind, pool.kernel = {3, 2}, pool.stride = {2, 1}, pool.dilation = {1, 2};
        pool.pads = {1, 1, 2, 2}, pool.ceil_mode = flag, pool.count_padding = flag;
        outputs.push_back(net.op(pool, {in}));
      }
    }
    const auto program = net.finish(outputs);
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{9, 9}, {16, 12}, {17, 33}, {70, 11}}) {
      INFO(width << " x " << height << ", stride " << w.stride[1]);
      check_program(program, {{1, 8, height, width}});
    }
  }
}

TEST_CASE("skips, concat, slices, padding and several outputs") {
  NetworkBuilder net(9);
  const int in = net.input({1, 3, kDynamicDim, kDynamicDim});
  const int a = net.conv3x3(in, 3, 4);
  const int deep = net.conv3x3(net.conv3x3(a, 4, 4), 4, 4);
  const int skip = net.op(format::BinaryParams{format::BinaryKind::kSub}, {a, deep});
  const int joined = net.op(format::ConcatParams{1}, {skip, in});
  const int part = net.op(format::SliceParams{{1}, {5}, {0}, {-2}}, {joined});
  const int scaled =
      net.op(format::BinaryParams{format::BinaryKind::kMul}, {part, net.random_constant({3, 1, 1}, 2.0f)});
  const int shifted = net.op(format::BinaryParams{format::BinaryKind::kSub}, {net.constant({}, {0.25f}), scaled});
  const int reflected = net.op(format::PadParams{format::PadMode::kReflect, {0, 0, 1, 2, 0, 0, 2, 1}, 0}, {shifted});
  const int edged = net.op(format::PadParams{format::PadMode::kEdge, {0, 0, 3, 0, 0, 0, 0, 4}, 0}, {reflected});
  const int filled = net.op(format::PadParams{format::PadMode::kConstant, {0, 0, 1, 2, 0, 0, -1, -2}, 0.5f}, {edged});
  const int prelu = net.op(format::PreluParams{}, {filled, net.random_constant({3, 1, 1}, 0.5f)});
  const auto program = net.finish({prelu, deep});
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{3, 3}, {4, 7}, {16, 15}, {33, 17}}) {
    INFO(width << " x " << height);
    check_program(program, {{1, 3, height, width}});
  }
}

TEST_CASE("resizes of every kind and both shuffles") {
  for (const auto mode : {format::ResizeMode::kNearest, format::ResizeMode::kLinear, format::ResizeMode::kCubic})
    for (const float scale : {2.0f, 3.0f, 1.5f, 0.5f, 0.4f})
      for (const auto coordinates : {format::CoordinateMode::kHalfPixel, format::CoordinateMode::kAlignCorners,
                                     format::CoordinateMode::kAsymmetric}) {
        NetworkBuilder net(11);
        const int in = net.input({1, 2, kDynamicDim, kDynamicDim});
        const int x = net.conv3x3(in, 2, 8);
        format::DepthToSpaceParams shuffle;
        shuffle.mode = format::DepthToSpaceMode::kCrd;
        const int up = net.op(shuffle, {x});
        format::ResizeParams resize;
        resize.mode = mode, resize.coordinates = coordinates, resize.scales = {1, 1, scale, scale};
        const int resized = net.op(resize, {up});
        INFO("mode " << to_string(mode) << " scale " << scale << " " << to_string(coordinates));
        check_program(net.finish({resized}), {{1, 2, 5, 9}});
      }
  NetworkBuilder net(12);
  const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
  const int down = net.op(format::SpaceToDepthParams{3}, {in});
  const int x = net.conv3x3(down, 9, 9);
  const auto program = net.finish({net.op(format::DepthToSpaceParams{3, format::DepthToSpaceMode::kDcr}, {x})});
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{3, 3}, {12, 9}, {48, 51}})
    check_program(program, {{1, 1, height, width}});
}

TEST_CASE("what does not run row by row is refused by name") {
  NetworkBuilder net(13);
  const int in = net.input({1, 4, 8, 8});
  const auto program = net.finish({net.op(format::TransposeParams{{0, 2, 3, 1}}, {in})});
  const auto shapes = resolve(program, {{1, 4, 8, 8}});
  const auto line = runtime::make_line_program(program, shapes, {});
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().code == ErrorCode::kUnsupported);
  CHECK(line.error().message.find("op0") != std::string::npos);
  CHECK(line.error().message.find("Transpose") != std::string::npos);
}
