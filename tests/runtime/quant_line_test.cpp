// Integer networks row by row: the same bits as the dense references under every tiling, thread count and kernel.
#include "base/file.h"
#include "catch.h"
#include "coco/device.h"
#include "coco/session.h"
#include "runtime/line_executor.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

std::vector<float> run(const std::shared_ptr<const Model>& model, const Shape& shape, const std::vector<float>& input,
                       const SessionOptions& options) {
  auto session = Session::create(model, std::vector<Shape>{shape}, options);
  INFO((session.ok() ? "" : session.error().message));
  REQUIRE(session.ok());
  const Shape& result = (*session)->outputs()[0].shape;
  std::vector<float> output(static_cast<size_t>(*result.element_count()), -1.0f);
  const std::vector<TensorView> in{{DataType::kF32, shape, input.data()}};
  const std::vector<MutableTensorView> out{{DataType::kF32, result, output.data()}};
  REQUIRE((*session)->run(in, out).ok());
  return output;
}

SessionOptions dense_references() {
  SessionOptions options;
  options.executor = ExecutorKind::kLayer, options.reference_kernels = true, options.threads = 1;
  return options;
}

/// Against the dense references, with reference rows and with the machine's, tiled in many ways.
void check(format::Program program, const std::vector<std::pair<int, int>>& sizes) {
  const int64_t channels = program.values[program.inputs[0]].shape[1];
  auto model = Model::from_program(std::move(program));
  INFO((model.ok() ? "" : model.error().message));
  REQUIRE(model.ok());
  for (const auto& [width, height] : sizes) {
    const Shape shape{1, channels, height, width};
    Noise noise(static_cast<uint64_t>(width * 1000 + height));
    std::vector<float> input = noise.many(static_cast<size_t>(*shape.element_count()), 0.6f);
    for (float& v : input) v += 0.5f;
    const std::vector<float> expected = run(*model, shape, input, dense_references());
    for (const bool references : {true, false})
      for (const auto& [strip, band, threads] : std::vector<std::array<int, 3>>{
               {1 << 20, 1 << 20, 1}, {1, 1, 1}, {2, 3, 2}, {7, 5, 3}, {16, 16, 2}, {33, 1000, 1}, {0, 0, 0}}) {
        SessionOptions options;
        options.executor = ExecutorKind::kLine;
        options.reference_kernels = references;
        options.strip_width = strip, options.band_height = band, options.threads = threads;
        INFO(width << "x" << height << " strip " << strip << " band " << band << " references " << references);
        CHECK((run(*model, shape, input, options) == expected));
      }
    SessionOptions layer;
    layer.executor = ExecutorKind::kLayer;
    CHECK((run(*model, shape, input, layer) == expected));
  }
}

const std::vector<std::pair<int, int>> kAwkward = {{1, 1},  {1, 2},  {2, 1},   {3, 3},  {15, 16},
                                                   {16, 9}, {17, 1}, {33, 17}, {70, 21}};

}  // namespace

TEST_CASE("integer stacks are bit-identical under every tiling") {
  NetworkBuilder net(11);
  int x = net.op(format::QuantizeParams{255, 0}, {net.input({1, 1, kDynamicDim, kDynamicDim})});
  x = net.quant_conv(x, 1, 8, same3x3(0, 37));
  x = net.quant_conv(x, 8, 8, same3x3(37, 128));
  x = net.quant_conv(x, 8, 16, same3x3(128, 255));
  auto last = same3x3(255, 0);
  last.dequantize = true;
  check(net.finish({net.quant_conv(x, 16, 4, last)}), kAwkward);
}

TEST_CASE("techniques switched off change nothing but the speed") {
  NetworkBuilder net(5);
  int x = net.op(format::QuantizeParams{255, 0}, {net.input({1, 1, kDynamicDim, kDynamicDim})});
  x = net.quant_conv(x, 1, 8, same3x3(0, 37));
  auto last = same3x3(37, 0);
  last.dequantize = true;
  const int sums = net.quant_conv(x, 8, 8, last);
  auto model = Model::from_program(net.finish({sums}));
  REQUIRE(model.ok());
  const Shape shape{1, 1, 21, 40};
  const std::vector<float> input = Noise(3).many(21 * 40, 0.5f);
  const std::vector<float> expected = run(*model, shape, input, {});
  SessionOptions off;
  off.techniques.skip_zeros = false;
  CHECK((run(*model, shape, input, off) == expected));
  off.techniques.depth_first = false;
  auto session = Session::create(*model, std::vector<Shape>{shape}, off);
  REQUIRE(session.ok());
  CHECK((*session)->stats().executor == "layer");
  CHECK((run(*model, shape, input, off) == expected));

  auto f32 = Model::from_program(super_resolution(8, 3));
  REQUIRE(f32.ok());
  const std::vector<float> pairs = run(*f32, shape, input, {});
  SessionOptions rows;
  rows.techniques.row_pairs = false;
  const std::vector<float> one_by_one = run(*f32, shape, input, rows);
  REQUIRE(pairs.size() == one_by_one.size());
  bool other_bits = false;
  for (size_t i = 0; i < pairs.size(); ++i) {
    CHECK(std::abs(pairs[i] - one_by_one[i]) <= 1e-5f * std::max(1.0f, std::abs(one_by_one[i])));
    other_bits = other_bits || pairs[i] != one_by_one[i];
  }
  if (!active_target().empty()) CHECK(other_bits);  // pairs were used
}

TEST_CASE("golden bytes of an integer stack") {
  const auto model = Model::from_program(golden_stack());
  REQUIRE(model.ok());
  const std::vector<float> output = run(*model, golden_shape(), golden_input(), {});
  const auto* bytes = reinterpret_cast<const uint8_t*>(output.data());
  CHECK(sha256_hex({bytes, output.size() * sizeof(float)}) == kGoldenStack);
}

TEST_CASE("integer convolutions of every geometry run by rows") { check(integer_geometries(), kAwkward); }

TEST_CASE("rows of one channel, gathered where every reader's window allows it") {
  for (const auto& [kernel, left, right] : std::vector<std::array<int64_t, 3>>{
           {3, 1, 1}, {2, 1, 0}, {2, 0, 1}, {4, 1, 2}, {4, 0, 0}, {3, 0, 2}, {3, 2, 0}, {5, 2, 2}, {1, 0, 0}}) {
    INFO("kernel " << kernel << " pads " << left << " " << right);
    NetworkBuilder net(14);
    const int x = net.op(format::QuantizeParams{255, 40}, {net.input({1, 1, kDynamicDim, kDynamicDim})});
    format::QuantConv2dParams params;
    params.kernel = {3, kernel}, params.pads = {1, left, 1, right};
    params.in_zero_point = 40, params.dequantize = true;
    check(net.finish({net.quant_conv(x, 1, 5, params)}), {{4, 3}, {17, 5}, {70, 9}});
  }
}

TEST_CASE("a zero point that is not the input's runs layer by layer") {
  NetworkBuilder net(13);
  int x = net.op(format::QuantizeParams{255, 4}, {net.input({1, 2, kDynamicDim, kDynamicDim})});
  auto last = same3x3(5, 0);
  last.dequantize = true;
  auto model = Model::from_program(net.finish({net.quant_conv(x, 2, 3, last)}));
  REQUIRE(model.ok());
  const Shape shape{1, 2, 6, 7};
  SessionOptions line;
  line.executor = ExecutorKind::kLine;
  const auto refused = Session::create(*model, std::vector<Shape>{shape}, line);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("zero point") != std::string::npos);
  const std::vector<float> input(84, 0.3f);
  CHECK((run(*model, shape, input, {}) == run(*model, shape, input, dense_references())));
}
