// Purpose: a device that somebody else has made, for tests: GStreamer 1.22's way, with no feature and no extension
// enabled, under the validation layer.
#pragma once

#include <string>
#include <vector>

#include "backends/vulkan/api.h"
#include "coco/vulkan.h"

namespace coco::testing {

inline VkBool32 VKAPI_PTR add_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                      const VkDebugUtilsMessengerCallbackDataEXT* data, void* messages) {
  static_cast<std::vector<std::string>*>(messages)->emplace_back(data->pMessage);
  return VK_FALSE;
}

/// An instance of Vulkan 1.1, its first device, and a queue of that.
struct Foreign {
  backends::VulkanApi api;
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT listener = VK_NULL_HANDLE;
  std::vector<std::string> messages;  ///< of the validation layer

  Foreign() = default;
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
  ~Foreign() { destroy(); }

  /// What was made on the device and is still there is a message.
  void destroy() {
    if (device != VK_NULL_HANDLE) api.DestroyDevice(device, nullptr);
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        instance != VK_NULL_HANDLE ? api.get_instance_proc_addr(instance, "vkDestroyDebugUtilsMessengerEXT") : nullptr);
    if (listener != VK_NULL_HANDLE) destroy(instance, listener, nullptr);
    if (instance != VK_NULL_HANDLE) api.DestroyInstance(instance, nullptr);
    device = VK_NULL_HANDLE, listener = VK_NULL_HANDLE, instance = VK_NULL_HANDLE;
  }

  Status make() {
    COCO_ASSIGN(api, backends::VulkanApi::open());
    auto application = backends::vulkan_struct<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
    application.apiVersion = VK_API_VERSION_1_1;
    auto info = backends::vulkan_struct<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
    info.pApplicationInfo = &application;
    const char* const layer = "VK_LAYER_KHRONOS_validation";
    const char* const extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    auto messenger = backends::vulkan_struct<VkDebugUtilsMessengerCreateInfoEXT>(
        VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = add_message;
    messenger.pUserData = &messages;
    info.pNext = &messenger;
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = &layer;
    info.ppEnabledExtensionNames = &extension;
    COCO_TRY(backends::check_vulkan(api.CreateInstance(&info, nullptr, &instance), "instance"));
    COCO_TRY(api.load_instance(instance));
    const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
        api.get_instance_proc_addr(instance, "vkCreateDebugUtilsMessengerEXT"));
    COCO_TRY(backends::check_vulkan(create(instance, &messenger, nullptr, &listener), "messenger"));
    uint32_t one = 1;
    const VkResult listed = api.EnumeratePhysicalDevices(instance, &one, &physical);
    COCO_TRY(backends::check_vulkan(listed == VK_INCOMPLETE ? VK_SUCCESS : listed, "devices"));
    const float priority = 1;
    auto queues = backends::vulkan_struct<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
    queues.queueCount = 1;
    queues.pQueuePriorities = &priority;
    auto made = backends::vulkan_struct<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
    made.queueCreateInfoCount = 1;
    made.pQueueCreateInfos = &queues;
    COCO_TRY(backends::check_vulkan(api.CreateDevice(physical, &made, nullptr, &device), "device"));
    COCO_TRY(api.load_device(device));
    api.GetDeviceQueue(device, 0, 0, &queue);
    return {};
  }

  VulkanHandles handles() const {
    VulkanHandles handles;
    handles.instance = instance, handles.physical_device = physical;
    handles.device = device, handles.queue = queue;
    handles.api_version = VK_API_VERSION_1_1;
    return handles;
  }
};

}  // namespace coco::testing
