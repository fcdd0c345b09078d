#include "tune/network.h"

#include <ATen/Parallel.h>

#include "catch.h"
#include "coco/session.h"
#include "tests/tune/synthetic.h"
#include "tune/evaluate.h"
#include "tune/lower.h"
#include "tune/onnx_export.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

Architecture unshuffled() {
  Architecture a{"unshuffled", 2, {{4, 8, Activation::kClip}, {8, 8, Activation::kNone, 3, true}, {8, 12}, {12, 16}}};
  a.layers[0].clip = 0.6f;
  a.unshuffle = 2;
  a.base = Base::kBicubic;
  return a;
}

Architecture nearest_by_three() {
  Architecture a{"three", 3, {{1, 6, Activation::kRelu, 1}, {6, 9, Activation::kTanh, 5}}};
  a.base = Base::kNearest;
  return a;
}

Architecture odd_deconvolution() {
  Architecture a{"odd", 3, {{1, 4, Activation::kPrelu}, {4, 1, Activation::kNone, 4}}};
  a.end = End::kDeconvolution;
  a.base = Base::kBilinear;
  return a;
}

std::vector<Architecture> all_kinds() {
  std::vector<Architecture> all = {unshuffled(), nearest_by_three(), odd_deconvolution()};
  for (const std::string& name : architecture_names()) all.push_back(find_architecture(name).value());
  return all;
}

}  // namespace

TEST_CASE("presets are found by name and counted") {
  const auto count = [](const char* name) {
    const Architecture a = find_architecture(name).value();
    return std::pair{parameter_count(a), macs_per_pixel(a)};
  };
  CHECK(count("sr2x-s") == std::pair<int64_t, int64_t>{2748, 2664});
  CHECK(count("sr2x-m") == std::pair<int64_t, int64_t>{10100, 9936});
  CHECK(count("sr2x-l") == std::pair<int64_t, int64_t>{38628, 38304});
  CHECK(count("espcn") == std::pair<int64_t, int64_t>{21284, 21184});
  CHECK(count("fsrcnn") == std::pair<int64_t, int64_t>{10292, 9944});
  CHECK(count("fsrcnn-deconvolution") == std::pair<int64_t, int64_t>{12809, 12464});
  CHECK(find_architecture("sr9x").error().message.find("sr2x-s") != std::string::npos);
}

TEST_CASE("multiply-adds of an unshuffled input are counted for each pixel of the picture") {
  CHECK(macs_per_pixel(unshuffled()) == (8 * 4 * 9 + 8 * 9 + 12 * 8 * 9 + 16 * 12 * 9) / 4);
}

TEST_CASE("descriptions survive JSON") {
  for (const Architecture& a : all_kinds()) {
    const auto back = architecture_from_json(to_json(a));
    REQUIRE(back.ok());
    CHECK(*back == a);
  }
  CHECK(architecture_from_json("{}").error().code == ErrorCode::kInvalidData);
  CHECK(architecture_from_json("[").error().code == ErrorCode::kInvalidData);
}

TEST_CASE("descriptions that do not fit together name the layer") {
  const auto message = [](const Architecture& a) { return check_architecture(a).error().message; };
  CHECK(message({"a", 2, {}}).find("no layers") != std::string::npos);
  CHECK(message({"a", 2, {{1, 8}, {6, 4}}}).find("layer 2 takes 6 channels, but gets 8") != std::string::npos);
  CHECK(message({"a", 2, {{1, 8}, {8, 3}}}).find("must have 4 channels") != std::string::npos);
  CHECK(message({"a", 2, {{1, 4, Activation::kNone, 4}}}).find("even kernel") != std::string::npos);
  CHECK(message({"a", 2, {{1, 4, Activation::kNone, 3, true}}}).find("depthwise") != std::string::npos);
  CHECK(message({"a", 9, {{1, 81}}}).find("scale") != std::string::npos);
  Architecture holes = odd_deconvolution();
  holes.layers.back().kernel = 2;
  CHECK(message(holes).find("holes") != std::string::npos);
}

TEST_CASE("libtorch and the engine compute the same network") {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  for (const Architecture& a : all_kinds()) {
    INFO(a.name);
    const PlainNet net = make_net(5, a);
    const auto model = compile_model(to_onnx(lower(net).value(), a.name).value());
    REQUIRE(model.ok());
    CHECK((*model)->card().scale == a.scale);
    CHECK(pairs_for(**model).multiple == a.unshuffle);
    const torch::Tensor input = torch::rand({1, 1, 18, 22});
    const torch::Tensor expected = run_architecture(a, from_plain(net), input);
    torch::Tensor out = torch::empty_like(expected);
    const Shape in_shape{1, 1, 18, 22}, out_shape{1, 1, 18 * a.scale, 22 * a.scale};
    SessionOptions options;
    options.executor = ExecutorKind::kLine;
    const auto session = Session::create(*model, {&in_shape, 1}, options);
    REQUIRE(session.ok());
    const TensorView in{DataType::kF32, in_shape, input.data_ptr<float>()};
    const MutableTensorView result{DataType::kF32, out_shape, out.data_ptr<float>()};
    REQUIRE((*session)->run({&in, 1}, {&result, 1}).ok());
    const double range = std::max(1.0, expected.abs().max().item<double>());
    CHECK((out - expected).abs().max().item<double>() < 1e-4 * range);
  }
}
