// What users call devices.
#include <charconv>
#include <string>

#include "coco/vulkan.h"

namespace coco {

Result<std::shared_ptr<VulkanDevice>> open_device(std::string_view name, const VulkanOptions& options) {
  constexpr std::string_view kVulkan = "vulkan";
  if (name == "cpu") return std::shared_ptr<VulkanDevice>();
  if (name == kVulkan) return VulkanDevice::open(-1, options);
  if (name.starts_with(kVulkan) && name.size() > kVulkan.size() + 1 && name[kVulkan.size()] == ':') {
    const char* const begin = name.data() + kVulkan.size() + 1;
    const char* const end = name.data() + name.size();
    int index = -1;
    const auto [rest, error] = std::from_chars(begin, end, index);
    if (error == std::errc() && rest == end && index >= 0) return VulkanDevice::open(index, options);
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "there is no device '" + std::string(name) + "'; known: cpu, vulkan, vulkan:INDEX");
}

}  // namespace coco
