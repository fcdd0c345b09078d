#include "backends/vulkan/api.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <vector>

namespace coco::backends {
namespace {

template <typename Function>
Status find(Function& function, PFN_vkVoidFunction found, const char* name) {
  function = reinterpret_cast<Function>(found);
  if (function != nullptr) return {};
  return make_error(ErrorCode::kUnavailable,
                    "the Vulkan driver has no " + std::string(name) + "; cocopipe needs Vulkan 1.1 or later");
}

/// Never closed: drivers do not like to be unloaded.
PFN_vkGetInstanceProcAddr system_loader() {
  static const auto get = [] {
    void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    return library != nullptr ? reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"))
                              : nullptr;
  }();
  return get;
}

/// The loader opens drivers with the first instance and closes them with the last one; drivers, and the compilers in
/// them, do not like that, and opening them again takes long. A driver is what exports the loader's entry.
void keep_drivers_open() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* list) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] != '\0') {
          static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
        }
        return 0;
      },
      &names);
  for (const std::string& name : names) {
    void* library = dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (library == nullptr) continue;
    const bool driver = dlsym(library, "vk_icdGetInstanceProcAddr") != nullptr;
    if (driver) dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
    dlclose(library);
  }
}

}  // namespace

Result<VulkanApi> VulkanApi::open(PFN_vkGetInstanceProcAddr get) {
  VulkanApi api;
  api.get_instance_proc_addr = get != nullptr ? get : system_loader();
  if (api.get_instance_proc_addr == nullptr) {
    return make_error(
        ErrorCode::kUnavailable,
        "this machine has no Vulkan loader (libvulkan.so.1); install libvulkan1 and the driver of its GPU");
  }
#define COCO_VULKAN_GLOBAL(name) COCO_TRY(find(api.name, api.get_instance_proc_addr(nullptr, "vk" #name), "vk" #name));
#include "backends/vulkan/functions.def"
  return api;
}

Status VulkanApi::load_instance(VkInstance instance) {
  keep_drivers_open();
#define COCO_VULKAN_INSTANCE(name) COCO_TRY(find(name, get_instance_proc_addr(instance, "vk" #name), "vk" #name));
#include "backends/vulkan/functions.def"
  return {};
}

Status VulkanApi::load_device(VkDevice device) {
#define COCO_VULKAN_DEVICE(name) COCO_TRY(find(name, GetDeviceProcAddr(device, "vk" #name), "vk" #name));
#include "backends/vulkan/functions.def"
  return {};
}

std::string vulkan_result_text(VkResult result) {
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST:
      return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_LAYER_NOT_PRESENT:
      return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
      return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_TIMEOUT:
      return "VK_TIMEOUT";
    default:
      return "VkResult " + std::to_string(static_cast<int>(result));
  }
}

Status check_vulkan(VkResult result, const char* what) {
  if (result == VK_SUCCESS) return {};
  const bool memory = result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
  return make_error(memory ? ErrorCode::kResourceLimit : ErrorCode::kUnavailable,
                    "Vulkan: " + std::string(what) + ": " + vulkan_result_text(result));
}

}  // namespace coco::backends
