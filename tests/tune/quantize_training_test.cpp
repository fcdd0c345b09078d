#include "tune/qat/quantize_training.h"

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/evaluate.h"
#include "tune/evaluate_network.h"
#include "tune/lower.h"
#include "tune/onnx_export.h"
#include "tune/qat/calibration.h"
#include "tune/qat/quant_network.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

QuantizeSettings settings_for(const std::string& out) {
  set_threads(1);
  QuantizeSettings settings;
  settings.training = {true, true};
  TrainOptions& o = settings.train;
  o.out = out;
  o.iterations = 12;
  o.batch = 2;
  o.patch = 24;
  o.warmup = 2;
  o.learning_rate = 1e-3;
  o.average_decay = 0.5;
  o.validate_every = 6;
  o.checkpoint_every = 4;
  return settings;
}

std::string small_model() { return to_onnx(lower(make_net(3)).value(), "small").value(); }

}  // namespace

TEST_CASE("calibration crops are aligned and the same each time") {
  const auto images = make_images(3, 40, 5);
  const auto samples = calibration_samples(images, 7, 16), again = calibration_samples(images, 7, 16);
  REQUIRE(samples.size() == 7);
  for (size_t i = 0; i < samples.size(); ++i) {
    CHECK(samples[i].inputs[0].shape == Shape({1, 1, 16, 16}));
    CHECK(samples[i].target.shape == Shape({1, 1, 32, 32}));
    CHECK(samples[i].inputs[0].data == again[i].inputs[0].data);
    // Shrinking keeps the mean, but for what lies around the crop.
    double low = 0, high = 0;
    for (const float v : samples[i].inputs[0].data) low += double(v) / 256;
    for (const float v : samples[i].target.data) high += double(v) / 1024;
    CHECK(low == Approx(high).margin(0.03));
  }
  CHECK(calibration_samples(images, 2, 400)[0].inputs[0].shape == Shape({1, 1, 20, 20}));
}

TEST_CASE("a model is quantized, trained and written; the engine gives the pixels that were trained") {
  const TemporaryFolder folder;
  const auto images = make_images(3, 80, 31);
  QuantizeSettings settings = settings_for(folder.string());
  SECTION("towards the pictures") {}
  SECTION("towards the f32 network") { settings.distill = 1; }
  const auto graphs = quantize_model(small_model(), settings, images);
  INFO((graphs.ok() ? "" : graphs.error().message));
  REQUIRE(graphs.ok());
  for (const QuantizedLayer& layer : graphs->report.layers) CHECK(layer.int8);
  const auto trained = train_quantized(*graphs, settings, "{}", images, images, {});
  INFO((trained.ok() ? "" : trained.error().message));
  REQUIRE(trained.ok());
  const auto onnx = to_integer_onnx(*trained, {}).value();
  CHECK(onnx != to_integer_onnx(graphs->integer, {}).value());
  const Figures engine = evaluate(compile_model(onnx).value(), images).value();
  const auto network = QuantNetwork::create(copy_graph(*trained, {}).value(), nullptr, {}).value();
  const Figures own = evaluate(network, network.deployed(), images).value();
  CHECK(engine.psnr_y == Approx(own.psnr_y).margin(1e-3));
  CHECK(engine.ssim_y == Approx(own.ssim_y).margin(1e-4));
}

TEST_CASE("what cannot be quantized by training is refused before it starts") {
  const TemporaryFolder folder;
  const auto images = make_images(2, 40, 31);
  QuantizeSettings settings = settings_for(folder.string());
  CHECK(quantize_model("no model", settings, images).error().code == ErrorCode::kInvalidData);
  const auto graphs = quantize_model(small_model(), settings, images).value();
  settings.train.patch = 64;
  const auto trained = train_quantized(graphs, settings, "{}", images, {}, {});
  REQUIRE_FALSE(trained.ok());
  CHECK(trained.error().code == ErrorCode::kInvalidArgument);
}
