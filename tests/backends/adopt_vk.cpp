// A device that somebody else has made.
#include <atomic>
#include <cstdio>

#include "backends/foreign_device.h"
#include "backends/vulkan_device.h"
#include "base/file.h"
#include "catch.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

TEST_CASE("a foreign device is used with what it was made with, under its lock") {
  Foreign foreign;
  if (const Status made = foreign.make(); !made.ok()) {
    std::printf("skipped: %s\n", made.error().message.c_str());
    return;
  }
  std::atomic<int> locked{0}, uses{0};
  VulkanHandles handles = foreign.handles();
  handles.lock = [&] {
    CHECK(locked++ == 0);
    ++uses;
  };
  handles.unlock = [&] { --locked; };
  VulkanOptions options;
  options.packed_dot = PackedDot::kSupported;
  auto device = VulkanDevice::adopt(handles, options);
  if (!device.ok()) FAIL(device.error().message);
  CHECK((*device)->info().index == -1);
  CHECK_FALSE((*device)->info().float_controls);
  CHECK_FALSE((*device)->info().packed_dot);
  auto model = Model::from_program(golden_stack());
  REQUIRE(model.ok());
  const int before = uses;
  const std::vector<float> result = run_model(*model, golden_shape(), golden_input(), on(*device));
  CHECK(uses > before);
  CHECK(locked == 0);
  const auto* bytes = reinterpret_cast<const uint8_t*>(result.data());
  CHECK(sha256_hex({bytes, result.size() * sizeof(float)}) == kGoldenStack);
  CHECK(foreign.messages == std::vector<std::string>{});
}

TEST_CASE("foreign devices that cannot be used") {
  CHECK_FALSE(VulkanDevice::adopt({}).ok());
  int something = 0;
  VulkanHandles handles;
  handles.instance = handles.physical_device = handles.device = handles.queue = &something;
  CHECK_THAT(VulkanDevice::adopt(handles).error().message, ContainsSubstring("below 1.1"));
  handles.api_version = VK_API_VERSION_1_1;
  handles.lock = [] {};
  CHECK_THAT(VulkanDevice::adopt(handles).error().message, ContainsSubstring("locked"));
}
