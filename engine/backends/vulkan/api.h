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

#define COCO_VULKAN_GLOBAL(X) X(CreateInstance) X(EnumerateInstanceLayerProperties) X(EnumerateInstanceVersion)

#define COCO_VULKAN_INSTANCE(X)                                                                           \
  X(DestroyInstance)                                                                                      \
  X(EnumeratePhysicalDevices)                                                                             \
  X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2) X(GetPhysicalDeviceQueueFamilyProperties) \
      X(GetPhysicalDeviceMemoryProperties) X(EnumerateDeviceExtensionProperties) X(CreateDevice) X(GetDeviceProcAddr)

#define COCO_VULKAN_DEVICE(X)                                                                                        \
  X(DestroyDevice)                                                                                                   \
  X(GetDeviceQueue)                                                                                                  \
  X(QueueSubmit) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) X(AllocateMemory) X(FreeMemory)     \
      X(BindBufferMemory) X(MapMemory) X(CreateShaderModule) X(DestroyShaderModule) X(CreateDescriptorSetLayout)     \
          X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateComputePipelines)   \
              X(DestroyPipeline) X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData)              \
                  X(CreateDescriptorPool) X(DestroyDescriptorPool) X(AllocateDescriptorSets) X(UpdateDescriptorSets) \
                      X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) X(BeginCommandBuffer)     \
                          X(EndCommandBuffer) X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants)        \
                              X(CmdDispatch) X(CmdCopyBuffer) X(CmdPipelineBarrier) X(CreateFence) X(DestroyFence)   \
                                  X(WaitForFences) X(ResetFences)

/// Members are called as the functions are, without "vk".
struct VulkanApi {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
#define COCO_VULKAN_MEMBER(name) PFN_vk##name name = nullptr;
  COCO_VULKAN_GLOBAL(COCO_VULKAN_MEMBER)
  COCO_VULKAN_INSTANCE(COCO_VULKAN_MEMBER)
  COCO_VULKAN_DEVICE(COCO_VULKAN_MEMBER)
#undef COCO_VULKAN_MEMBER

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
