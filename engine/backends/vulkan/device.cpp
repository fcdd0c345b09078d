#include <algorithm>
#include <cstring>

#include "backends/vulkan/state.h"

namespace coco {

using backends::check_vulkan;
using backends::vulkan_struct;
using backends::VulkanApi;

namespace {

constexpr const char* kValidation = "VK_LAYER_KHRONOS_validation";
constexpr uint32_t kLeastVersion = VK_API_VERSION_1_1, kMostVersion = VK_API_VERSION_1_3;

VkBool32 VKAPI_PTR on_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                              const VkDebugUtilsMessengerCallbackDataEXT* data, void* state) {
  static_cast<VulkanDevice::State*>(state)->on_message(data->pMessage != nullptr ? data->pMessage : "");
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(VulkanDevice::State& state) {
  auto info =
      vulkan_struct<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  info.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  info.pfnUserCallback = on_message;
  info.pUserData = &state;
  return info;
}

Status check_validation_layer(const VulkanApi& api) {
  uint32_t count = 0;
  COCO_TRY(check_vulkan(api.EnumerateInstanceLayerProperties(&count, nullptr), "listing layers"));
  std::vector<VkLayerProperties> layers(count);
  COCO_TRY(check_vulkan(api.EnumerateInstanceLayerProperties(&count, layers.data()), "listing layers"));
  for (const VkLayerProperties& layer : layers)
    if (std::strcmp(layer.layerName, kValidation) == 0) return {};
  return make_error(ErrorCode::kUnavailable,
                    std::string(kValidation) + " is not installed; on Debian: vulkan-validationlayers");
}

Status make_instance(VulkanDevice::State& state) {
  COCO_ASSIGN(state.api, VulkanApi::open());
  uint32_t version = 0;
  COCO_TRY(check_vulkan(state.api.EnumerateInstanceVersion(&version), "asking for the loader's version"));
  if (version < kLeastVersion)
    return make_error(ErrorCode::kUnavailable, "this machine's Vulkan loader knows version 1.0 only; 1.1 is needed");
  auto application = vulkan_struct<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pApplicationName = application.pEngineName = "cocopipe";
  application.apiVersion = std::min(version, kMostVersion);
  auto info = vulkan_struct<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;
  const char* const debug_utils = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  const VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(state);
  if (state.on_message) {
    COCO_TRY(check_validation_layer(state.api));
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = &kValidation;
    info.ppEnabledExtensionNames = &debug_utils;
    info.pNext = &messenger;
  }
  COCO_TRY(check_vulkan(state.api.CreateInstance(&info, nullptr, &state.instance),
                        "making an instance (is a driver installed? on Debian: mesa-vulkan-drivers)"));
  COCO_TRY(state.api.load_instance(state.instance));
  if (!state.on_message) return {};
  const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
      state.api.get_instance_proc_addr(state.instance, "vkCreateDebugUtilsMessengerEXT"));
  if (create == nullptr) return make_error(ErrorCode::kUnavailable, "Vulkan: no vkCreateDebugUtilsMessengerEXT");
  return check_vulkan(create(state.instance, &messenger, nullptr, &state.messenger), "making a messenger");
}

Result<std::vector<VkPhysicalDevice>> physical_devices(const VulkanDevice::State& state) {
  uint32_t count = 0;
  COCO_TRY(check_vulkan(state.api.EnumeratePhysicalDevices(state.instance, &count, nullptr), "listing devices"));
  std::vector<VkPhysicalDevice> devices(count);
  COCO_TRY(check_vulkan(state.api.EnumeratePhysicalDevices(state.instance, &count, devices.data()), "listing devices"));
  devices.resize(count);
  return devices;
}

/// What is asked of a physical device; structures of extensions stay 0 where it has them not.
struct Properties {
  VkPhysicalDeviceProperties2 base{};
  VkPhysicalDeviceDriverProperties driver{};
  VkPhysicalDeviceFloatControlsProperties floats{};
  VkPhysicalDeviceShaderIntegerDotProductProperties dot{};
  Properties() {
    base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    floats.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES;
    dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES;
  }
};

/// `version` and `extensions` are those the device is used with.
struct Reach {
  uint32_t version = kLeastVersion;
  std::vector<std::string> extensions;
  bool has(uint32_t core_since, const char* extension) const {
    return version >= core_since || std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
  }
  bool floats() const { return has(VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME); }
  bool dot() const { return has(VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME); }
};

void read_properties(const VulkanApi& api, VkPhysicalDevice physical, const Reach& reach, Properties& into) {
  const auto add = [&](auto& structure) {
    structure.pNext = into.base.pNext;
    into.base.pNext = &structure;
  };
  if (reach.version >= VK_API_VERSION_1_2) add(into.driver);
  if (reach.floats()) add(into.floats);
  if (reach.dot()) add(into.dot);
  api.GetPhysicalDeviceProperties2(physical, &into.base);
}

uint32_t version_of(const VulkanApi& api, VkPhysicalDevice physical) {
  auto properties = vulkan_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  api.GetPhysicalDeviceProperties2(physical, &properties);
  return std::min(properties.properties.apiVersion, kMostVersion);
}

void describe(const Properties& properties, VulkanDeviceInfo& info) {
  info.name = properties.base.properties.deviceName;
  info.driver = properties.driver.driverName;
  if (properties.driver.driverInfo[0] != 0) info.driver += " (" + std::string(properties.driver.driverInfo) + ")";
  info.software = properties.base.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

int speed_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 1;
    default:
      return 0;
  }
}

Status choose_physical(VulkanDevice::State& state, int index) {
  COCO_ASSIGN(const std::vector<VkPhysicalDevice> devices, physical_devices(state));
  if (devices.empty())
    return make_error(ErrorCode::kUnavailable, "Vulkan has no device here; install the driver of a GPU");
  if (index >= static_cast<int>(devices.size()))
    return make_error(ErrorCode::kNotFound, "there is no Vulkan device " + std::to_string(index) +
                                                "; this machine has " + std::to_string(devices.size()) +
                                                ", counted from 0 (cocopipe doctor lists them)");
  int best = std::max(index, 0);
  for (int i = 0, most = -1; index < 0 && i < static_cast<int>(devices.size()); ++i) {
    auto properties = vulkan_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
    state.api.GetPhysicalDeviceProperties2(devices[static_cast<size_t>(i)], &properties);
    const int speed = speed_of(properties.properties.deviceType);
    if (speed > most) most = speed, best = i;
  }
  state.physical = devices[static_cast<size_t>(best)];
  state.info.index = best;
  return {};
}

Result<uint32_t> compute_family(const VulkanDevice::State& state) {
  uint32_t count = 0;
  state.api.GetPhysicalDeviceQueueFamilyProperties(state.physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  state.api.GetPhysicalDeviceQueueFamilyProperties(state.physical, &count, families.data());
  for (uint32_t i = 0; i < count; ++i)
    if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0) return i;
  return make_error(ErrorCode::kUnavailable, "the Vulkan device has no queue that computes");
}

Result<std::vector<std::string>> device_extensions(const VulkanDevice::State& state) {
  const auto list = [&](uint32_t* count, VkExtensionProperties* into) {
    return check_vulkan(state.api.EnumerateDeviceExtensionProperties(state.physical, nullptr, count, into),
                        "listing the device's extensions");
  };
  uint32_t count = 0;
  COCO_TRY(list(&count, nullptr));
  std::vector<VkExtensionProperties> known(count);
  COCO_TRY(list(&count, known.data()));
  std::vector<std::string> names;
  names.reserve(count);
  for (const VkExtensionProperties& extension : known) names.emplace_back(extension.extensionName);
  return names;
}

/// Sets info.float_controls and info.packed_dot.
void choose_variants(VulkanDevice::State& state, const Reach& reach, bool dot_enabled, const VulkanOptions& options) {
  Properties properties;
  read_properties(state.api, state.physical, reach, properties);
  describe(properties, state.info);
  state.limits = properties.base.properties.limits;
  state.api.GetPhysicalDeviceMemoryProperties(state.physical, &state.memory);
  state.info.float_controls = reach.floats() && properties.floats.shaderRoundingModeRTEFloat32 == VK_TRUE &&
                              properties.floats.shaderSignedZeroInfNanPreserveFloat32 == VK_TRUE;
  const bool faster = properties.dot.integerDotProduct4x8BitPackedSignedAccelerated == VK_TRUE;
  state.info.packed_dot =
      reach.dot() && dot_enabled &&
      (options.packed_dot == PackedDot::kSupported || (options.packed_dot == PackedDot::kAccelerated && faster));
}

Status make_device(VulkanDevice::State& state, const VulkanOptions& options) {
  Reach reach{version_of(state.api, state.physical), {}};
  if (reach.version < kLeastVersion)
    return make_error(ErrorCode::kUnavailable, "the Vulkan device knows version 1.0 only; 1.1 is needed");
  COCO_ASSIGN(state.queue_family, compute_family(state));
  COCO_ASSIGN(reach.extensions, device_extensions(state));
  std::vector<const char*> enabled;
  if (reach.version < VK_API_VERSION_1_2 && reach.floats())
    enabled.push_back(VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME);
  if (reach.version < VK_API_VERSION_1_3 && reach.dot())
    enabled.push_back(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
  auto dot = vulkan_struct<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  auto features = vulkan_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  if (reach.dot()) features.pNext = &dot;
  state.api.GetPhysicalDeviceFeatures2(state.physical, &features);
  choose_variants(state, reach, dot.shaderIntegerDotProduct == VK_TRUE, options);
  dot.pNext = nullptr;

  const float priority = 1;
  auto queue = vulkan_struct<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = state.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  auto info = vulkan_struct<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  if (state.info.packed_dot) info.pNext = &dot;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(enabled.size());
  info.ppEnabledExtensionNames = enabled.data();
  COCO_TRY(check_vulkan(state.api.CreateDevice(state.physical, &info, nullptr, &state.device), "making a device"));
  COCO_TRY(state.api.load_device(state.device));
  state.api.GetDeviceQueue(state.device, state.queue_family, 0, &state.queue);
  return {};
}

Status check_handles(const VulkanHandles& handles) {
  const auto bad = [](const char* message) {
    return make_error(ErrorCode::kInvalidArgument, std::string("adopting a Vulkan device: ") + message);
  };
  if (handles.instance == nullptr || handles.physical_device == nullptr || handles.device == nullptr ||
      handles.queue == nullptr)
    return bad("instance, physical device, device and queue are all needed");
  if (!handles.lock != !handles.unlock) return bad("a queue is both locked and unlocked, or neither");
  if (handles.api_version < kLeastVersion) return bad("its version is below 1.1");
  return {};
}

}  // namespace

Status VulkanDevice::State::check(VkResult result, const char* what) {
  if (result == VK_ERROR_DEVICE_LOST) lost = true;
  return backends::check_vulkan(result, what);
}

Status VulkanDevice::State::check_alive() const {
  if (!lost) return {};
  return make_error(ErrorCode::kUnavailable, "Vulkan: " + info.name +
                                                 " is lost (VK_ERROR_DEVICE_LOST): its driver gave "
                                                 "it up; open it anew, or use the CPU");
}

VulkanDevice::State::~State() {
  if (pipelines != VK_NULL_HANDLE) api.DestroyPipelineCache(device, pipelines, nullptr);
  if (!owned) return;
  if (device != VK_NULL_HANDLE && api.DestroyDevice != nullptr) api.DestroyDevice(device, nullptr);
  if (messenger != VK_NULL_HANDLE) {
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        api.get_instance_proc_addr(instance, "vkDestroyDebugUtilsMessengerEXT"));
    if (destroy != nullptr) destroy(instance, messenger, nullptr);
  }
  if (instance != VK_NULL_HANDLE && api.DestroyInstance != nullptr) api.DestroyInstance(instance, nullptr);
}

int VulkanDevice::State::memory_type(uint32_t types, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags liked) const {
  int found = -1;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if ((types >> i & 1) == 0 || (flags & wanted) != wanted) continue;
    if ((flags & liked) == liked) return static_cast<int>(i);
    if (found < 0) found = static_cast<int>(i);
  }
  return found;
}

VulkanDevice::VulkanDevice(std::unique_ptr<State> state) : state_(std::move(state)) {}
VulkanDevice::~VulkanDevice() = default;
const VulkanDeviceInfo& VulkanDevice::info() const { return state_->info; }

Result<std::shared_ptr<VulkanDevice>> VulkanDevice::open(int index, const VulkanOptions& options) {
  auto state = std::make_unique<State>();
  state->on_message = options.on_validation_message;
  COCO_TRY(make_instance(*state));
  COCO_TRY(choose_physical(*state, index));
  COCO_TRY(make_device(*state, options));
  COCO_TRY(state->open_pipelines(options.cache_folder));
  std::shared_ptr<VulkanDevice> device(new VulkanDevice(std::move(state)));
  COCO_TRY(backends::check_arithmetic(device));
  return device;
}

Result<std::shared_ptr<VulkanDevice>> VulkanDevice::adopt(const VulkanHandles& handles, const VulkanOptions& options) {
  COCO_TRY(check_handles(handles));
  auto state = std::make_unique<State>();
  state->owned = false;
  COCO_ASSIGN(state->api, VulkanApi::open(reinterpret_cast<PFN_vkGetInstanceProcAddr>(handles.get_instance_proc_addr)));
  state->instance = static_cast<VkInstance>(handles.instance);
  state->physical = static_cast<VkPhysicalDevice>(handles.physical_device);
  state->device = static_cast<VkDevice>(handles.device);
  state->queue = static_cast<VkQueue>(handles.queue);
  state->queue_family = handles.queue_family;
  state->lock = handles.lock, state->unlock = handles.unlock;
  COCO_TRY(state->api.load_instance(state->instance));
  COCO_TRY(state->api.load_device(state->device));
  const Reach reach{std::min(version_of(state->api, state->physical), handles.api_version), handles.extensions};
  choose_variants(*state, reach, handles.shader_integer_dot_product, options);
  COCO_TRY(state->open_pipelines(options.cache_folder));
  std::shared_ptr<VulkanDevice> device(new VulkanDevice(std::move(state)));
  COCO_TRY(backends::check_arithmetic(device));
  return device;
}

Result<std::vector<VulkanDeviceInfo>> list_vulkan_devices() {
  VulkanDevice::State state;
  COCO_TRY(make_instance(state));
  COCO_ASSIGN(const std::vector<VkPhysicalDevice> devices, physical_devices(state));
  std::vector<VulkanDeviceInfo> infos;
  for (const VkPhysicalDevice physical : devices) {
    Properties properties;
    read_properties(state.api, physical, {version_of(state.api, physical), {}}, properties);
    infos.emplace_back();
    infos.back().index = static_cast<int>(infos.size()) - 1;
    describe(properties, infos.back());
  }
  return infos;
}

}  // namespace coco
