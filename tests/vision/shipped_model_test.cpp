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

TEST_CASE("the shipped model beats bicubic", "[vision]") {
  set_model_loader(load_or_compile);
  auto model = load_upscale_model("sr2x-s");
  if (!model.ok()) FAIL(model.error().message);
  const quality::Plane8 original = texture(256, 192);
  TestFrame in = gray_frame(quality::resize_bicubic(original, 128, 96));
  TestFrame ours(PixelFormat::kGray8, 256, 192), bicubic(PixelFormat::kGray8, 256, 192);
  upscale(*model, in, ours);
  upscale(nullptr, in, bicubic);
  auto our_psnr = quality::psnr(plane_of(ours), original, 2);
  auto bicubic_psnr = quality::psnr(plane_of(bicubic), original, 2);
  REQUIRE(our_psnr.ok());
  REQUIRE(bicubic_psnr.ok());
  INFO("sr2x-s " << *our_psnr << " dB, bicubic " << *bicubic_psnr << " dB");
  CHECK(*our_psnr > *bicubic_psnr + 0.5);
}

}  // namespace coco::vision
