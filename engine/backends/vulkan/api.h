// Purpose: Vulkan's functions, found at run time: nothing links the loader, so that machines without one run all else.
// Ownership: tables of pointers; the loader stays open until the process ends.
// Threads: any thread.
// Failure: a machine without a loader is kUnavailable, a driver without a function of 1.1 as well.
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan_core.h>

#include "coco/status.h"

namespace coco::backends {

/// Functions are called as Vulkan calls them, without "vk".
struct VulkanApi {
  PFN_vkGetInstanceProcAddr get_instance_proc_addr = nullptr;
#define COCO_VULKAN_GLOBAL(name) PFN_vk##name name = nullptr;
#define COCO_VULKAN_INSTANCE(name) PFN_vk##name name = nullptr;
#define COCO_VULKAN_DEVICE(name) PFN_vk##name name = nullptr;
#include "backends/vulkan/functions.def"

  /// The functions that need no instance. `get`: null for the system's loader.
  static Result<VulkanApi> open(PFN_vkGetInstanceProcAddr get = nullptr);
  Status load_instance(VkInstance instance);
  Status load_device(VkDevice device);
};

/// A structure with its type, and nothing else set.
template <typename Structure>
Structure vulkan_struct(VkStructureType type) {
  Structure structure{};
  structure.sType = type;
  return structure;
}

/// "VK_ERROR_DEVICE_LOST", or the number.
std::string vulkan_result_text(VkResult result);
/// OK, or an error "WHAT: VK_ERROR_...": kResourceLimit for memory, else kUnavailable.
Status check_vulkan(VkResult result, const char* what);

}  // namespace coco::backends
