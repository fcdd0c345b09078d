// Whole frames on a Vulkan device: the shipped models' pixels are the CPU's.
#include <cstdio>

#include "catch.h"
#include "coco/compile.h"
#include "coco/vision.h"
#include "coco/vulkan.h"
#include "tests/vision/frames.h"

namespace coco::vision {
namespace {

TestFrame upscaled(const std::shared_ptr<const Model>& model, ResampleFilter filter, TestFrame& in, PixelFormat format,
                   int width, int height, const std::shared_ptr<VulkanDevice>& device) {
  UpscalerConfig config;
  config.format = format;
  config.in_width = in.width(0), config.in_height = in.height(0);
  config.out_width = width, config.out_height = height;
  config.filter = filter;
  config.session.vulkan = device;
  config.session.reuse = true;
  auto upscaler = Upscaler::create(model, config);
  if (!upscaler.ok()) FAIL(upscaler.error().message);
  CHECK(((*upscaler)->stats().executor == "vulkan") == (device != nullptr));
  TestFrame out(format, width, height, {6, true});
  const Status status = (*upscaler)->process(in.view(), out.view());
  if (!status.ok()) FAIL(status.error().message);
  return out;
}

}  // namespace

TEST_CASE("shipped models give the same pixels on Vulkan", "[vision]") {
  set_model_loader(load_or_compile);
  const auto device = VulkanDevice::open(-1);
  if (!device.ok()) {
    std::printf("skipped: %s\n", device.error().message.c_str());
    return;
  }
  for (const char* name : {"sr2x-bicubic", "sr2x-s", "sr2x-m", "bicubic", "lanczos"}) {
    const auto model = load_upscale_model(name);
    if (!model.ok()) FAIL(model.error().message);
    for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kP010_10Le}) {
      TestFrame in(format, 37, 23);
      in.fill_random(3);
      for (const auto& [width, height] : std::vector<std::pair<int, int>>{{74, 46}, {111, 60}}) {
        INFO(name << " " << to_string(format) << " " << width << " x " << height);
        const TestFrame here = upscaled(*model, resample_filter(name), in, format, width, height, nullptr);
        const TestFrame there = upscaled(*model, resample_filter(name), in, format, width, height, *device);
        CHECK((there.values() == here.values()));
        CHECK(there.canary_intact());
      }
    }
  }
}

}  // namespace coco::vision
