#include <cmath>
#include <cstdlib>

#include "catch.h"
#include "coco/vision.h"
#include "format/program.h"
#include "quality/quality.h"
#include "tests/vision/frames.h"
#include "tests/vision/textures.h"
#include "vision/geometry.h"

namespace coco::vision {
namespace {

using format::Conv2dParams;
using format::DepthToSpaceParams;
using format::Operator;
using format::Program;
using format::Value;

int32_t add_constant(Program& program, Shape shape, const std::vector<float>& data) {
  Value value;
  value.name = "weight" + std::to_string(program.values.size());
  value.shape = std::move(shape);
  value.constant =
      format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(data.data()), data.size() * sizeof(float)});
  program.values.push_back(std::move(value));
  return static_cast<int32_t>(program.values.size()) - 1;
}

int32_t add_activation(Program& program, const std::string& name, int64_t channels, int64_t size = kDynamicDim) {
  Value value;
  value.name = name;
  value.shape = Shape{1, channels, size, size};
  program.values.push_back(std::move(value));
  return static_cast<int32_t>(program.values.size()) - 1;
}

// A 3x3 convolution to scale * scale channels and a pixel shuffle. Channel c weighs the centre by `gain` and nothing
// else: with gain 1 every input sample becomes a block of scale x scale equal samples.
std::shared_ptr<const Model> block_network(int64_t scale, float gain = 1, int64_t in_channels = 1) {
  Program program;
  const int64_t channels = scale * scale;
  const int32_t input = add_activation(program, "input", in_channels);
  std::vector<float> taps(static_cast<size_t>(channels * in_channels * 9));
  for (size_t c = 0; c < static_cast<size_t>(channels * in_channels); ++c) taps[c * 9 + 4] = gain;
  const int32_t weight = add_constant(program, Shape{channels, in_channels, 3, 3}, taps);
  const int32_t features = add_activation(program, "features", channels);
  const int32_t output = add_activation(program, "output", 1);
  Conv2dParams convolution;
  convolution.kernel = {3, 3};
  convolution.pads = {1, 1, 1, 1};
  program.operators.push_back(
      Operator{"conv", convolution, {input, weight, format::kNoValue, format::kNoValue}, {features}});
  int32_t last = features;
  if (scale > 1) {
    DepthToSpaceParams shuffle;
    shuffle.block = scale;
    program.operators.push_back(Operator{"shuffle", shuffle, {features}, {output}});
    last = output;
  } else {
    program.values.pop_back();
  }
  program.inputs = {input};
  program.outputs = {last};
  program.card.name = "blocks";
  auto model = Model::from_program(std::move(program));
  if (!model.ok()) FAIL(model.error().message);
  return std::move(model).value();
}

UpscalerConfig gray_config(PixelFormat format, int in_w, int in_h, int out_w, int out_h, int threads = 2) {
  UpscalerConfig config;
  config.format = format;
  config.in_width = in_w;
  config.in_height = in_h;
  config.out_width = out_w;
  config.out_height = out_h;
  config.session.threads = threads;
  return config;
}

void process(const std::shared_ptr<const Model>& model, const UpscalerConfig& config, TestFrame& in, TestFrame& out) {
  auto upscaler = Upscaler::create(model, config);
  if (!upscaler.ok()) FAIL(upscaler.error().message);
  const Status status = (*upscaler)->process(in.view(), out.view());
  if (!status.ok()) FAIL(status.error().message);
}

}  // namespace

TEST_CASE("the network makes luma, once or repeatedly", "[vision]") {
  struct Case {
    int64_t scale;
    int in_w, in_h, out_w, out_h;
  };
  for (const PixelFormat format : kAllFormats) {
    for (const Case& c : {Case{2, 33, 17, 66, 34}, Case{2, 15, 16, 60, 64}, Case{3, 17, 5, 51, 15}, Case{2, 1, 1, 2, 2},
                          Case{2, 2, 3, 16, 24}}) {
      INFO(to_string(format) << " x" << c.scale << " " << c.in_w << "x" << c.in_h << " -> " << c.out_w << "x"
                             << c.out_h);
      TestFrame in(format, c.in_w, c.in_h, {6, false}), out(format, c.out_w, c.out_h, {10, true});
      in.fill_random(3);
      process(block_network(c.scale), gray_config(format, c.in_w, c.in_h, c.out_w, c.out_h), in, out);
      const int ratio = c.out_w / c.in_w;
      bool blocks = true;
      for (int y = 0; y < c.out_h; ++y) {
        for (int x = 0; x < c.out_w; ++x) blocks = blocks && out.get(0, x, y) == in.get(0, x / ratio, y / ratio);
      }
      CHECK(blocks);
      CHECK(out.canary_intact());
    }
  }
}

TEST_CASE("the network does not touch chroma", "[vision]") {
  TestFrame in(PixelFormat::kNv12, 45, 31), by_network(PixelFormat::kNv12, 90, 62), plain(PixelFormat::kNv12, 90, 62);
  in.fill_random(9);
  const UpscalerConfig config = gray_config(PixelFormat::kNv12, 45, 31, 90, 62);
  process(block_network(2), config, in, by_network);
  process(nullptr, config, in, plain);
  CHECK(by_network.values(0) != plain.values(0));
  CHECK(by_network.values(1) == plain.values(1));
  CHECK(by_network.values(2) == plain.values(2));
}

TEST_CASE("the network's picture is resampled to the exact size", "[vision]") {
  // 64 -> 128 by the network, then 128 -> 96: a frame whose halves differ keeps its step where it was.
  TestFrame in(PixelFormat::kGray8, 64, 64), out(PixelFormat::kGray8, 96, 96);
  in.fill([](int, int x, int) { return x < 32 ? 50 : 200; });
  process(block_network(2), gray_config(PixelFormat::kGray8, 64, 64, 96, 96), in, out);
  for (int y = 0; y < 96; y += 19) {
    CHECK(out.get(0, 20, y) == 50);
    CHECK(out.get(0, 75, y) == 200);
    CHECK(out.get(0, 47, y) + out.get(0, 48, y) == Approx(250).margin(1));
  }
  // A network is of no use when nothing grows: the same bytes as without it.
  TestFrame small(PixelFormat::kGray8, 40, 30), plain(PixelFormat::kGray8, 40, 30);
  process(block_network(2, 0.5f), gray_config(PixelFormat::kGray8, 64, 64, 40, 30), in, small);
  process(nullptr, gray_config(PixelFormat::kGray8, 64, 64, 40, 30), in, plain);
  CHECK(small.values() == plain.values());
}

TEST_CASE("threads do not change the network's result", "[vision]") {
  TestFrame in(PixelFormat::kNv12, 201, 77), one(PixelFormat::kNv12, 301, 151), three(PixelFormat::kNv12, 301, 151);
  in.fill_random(12);
  process(block_network(2, 0.7f), gray_config(PixelFormat::kNv12, 201, 77, 301, 151, 1), in, one);
  process(block_network(2, 0.7f), gray_config(PixelFormat::kNv12, 201, 77, 301, 151, 3), in, three);
  CHECK(one.values() == three.values());
}

TEST_CASE("networks that do not enlarge one channel are refused", "[vision]") {
  const UpscalerConfig config = gray_config(PixelFormat::kGray8, 16, 16, 32, 32);
  auto same_size = Upscaler::create(block_network(1), config);
  REQUIRE_FALSE(same_size.ok());
  CHECK_THAT(same_size.error().message, ContainsSubstring("blocks") && ContainsSubstring("whole factor"));
  auto colour = Upscaler::create(block_network(2, 1, 3), config);
  REQUIRE_FALSE(colour.ok());
  CHECK(colour.error().code == ErrorCode::kUnsupported);
  CHECK_THAT(colour.error().message, ContainsSubstring("[1, 3, "));
  auto scale = network_scale(*block_network(3));
  REQUIRE(scale.ok());
  CHECK(*scale == 3);
}

TEST_CASE("without a network luma is the measured bicubic", "[vision]") {
  const quality::Plane8 image = texture(97, 61);
  TestFrame in = gray_frame(image);
  for (const auto& [width, height] : {std::pair{194, 122}, std::pair{130, 90}, std::pair{61, 40}}) {
    TestFrame out(PixelFormat::kGray8, width, height);
    process(nullptr, gray_config(PixelFormat::kGray8, 97, 61, width, height), in, out);
    const quality::Plane8 expected = quality::resize_bicubic(image, width, height);
    int worst = 0;
    const std::vector<int> values = out.values();
    for (size_t i = 0; i < values.size(); ++i) worst = std::max(worst, std::abs(values[i] - expected.data[i]));
    CHECK(worst <= 1);
  }
}

}  // namespace coco::vision
