#include "catch.h"
#include "coco/compile.h"
#include "coco/vision.h"
#include "tests/vision/textures.h"

namespace coco::vision {
namespace {

void upscale(const std::shared_ptr<const Model>& model, TestFrame& in, TestFrame& out) {
  UpscalerConfig config;
  config.format = PixelFormat::kGray8;
  config.in_width = in.width(0);
  config.in_height = in.height(0);
  config.out_width = out.width(0);
  config.out_height = out.height(0);
  auto upscaler = Upscaler::create(model, config);
  if (!upscaler.ok()) FAIL(upscaler.error().message);
  const Status status = (*upscaler)->process(in.view(), out.view());
  if (!status.ok()) FAIL(status.error().message);
}

}  // namespace

TEST_CASE("every shipped upscaler beats bicubic", "[vision]") {
  set_model_loader(load_or_compile);
  const quality::Plane8 original = texture(256, 192);
  TestFrame in = gray_frame(quality::resize_bicubic(original, 128, 96));
  TestFrame bicubic(PixelFormat::kGray8, 256, 192);
  upscale(nullptr, in, bicubic);
  const double bicubic_psnr = quality::psnr(plane_of(bicubic), original, 2).value();
  size_t count = 0;
  for (const ShippedModel& shipped : list_models()) {
    const auto any = load_or_compile(shipped.path);
    if (!any.ok()) FAIL(any.error().message);
    const std::string& task = (*any)->card().task;
    if (!task.empty() && task != "super-resolution") continue;
    auto model = load_upscale_model(shipped.name);
    if (!model.ok()) FAIL(model.error().message);
    TestFrame ours(PixelFormat::kGray8, 256, 192);
    upscale(*model, in, ours);
    const double psnr = quality::psnr(plane_of(ours), original, 2).value();
    INFO(shipped.name << " " << psnr << " dB, bicubic " << bicubic_psnr << " dB");
    CHECK(psnr > bicubic_psnr + 0.5);
    ++count;
  }
  CHECK(count >= 1);
}

}  // namespace coco::vision
