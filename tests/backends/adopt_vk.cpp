// A device that somebody else has made: GStreamer 1.22's way, with no feature and no extension enabled.
#include <atomic>

#include "backends/vulkan/api.h"
#include "backends/vulkan_device.h"
#include "base/file.h"
#include "catch.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

VkBool32 VKAPI_PTR add_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
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
  ~Foreign() {
    if (device != VK_NULL_HANDLE) api.DestroyDevice(device, nullptr);
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        instance != VK_NULL_HANDLE ? api.get_instance_proc_addr(instance, "vkDestroyDebugUtilsMessengerEXT") : nullptr);
    if (listener != VK_NULL_HANDLE) destroy(instance, listener, nullptr);
    if (instance != VK_NULL_HANDLE) api.DestroyInstance(instance, nullptr);
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

}  // namespace

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
