// The driver's cache of pipelines: filled from its file when a device is opened, written when a plan has added to it.
#include <cstdio>

#include "backends/vulkan/pipeline_file.h"
#include "backends/vulkan/state.h"
#include "base/file.h"
#include "coco/log.h"

namespace coco {
namespace {

std::string hex(const uint8_t* bytes, size_t count) {
  std::string text;
  char digits[3];
  for (size_t i = 0; i < count; ++i) {
    std::snprintf(digits, sizeof(digits), "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

std::string key_of(const VulkanDevice::State& state) {
  auto ids = backends::vulkan_struct<VkPhysicalDeviceIDProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
  auto all = backends::vulkan_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  all.pNext = &ids;
  state.api.GetPhysicalDeviceProperties2(state.physical, &all);
  const VkPhysicalDeviceProperties& device = all.properties;
  return "device " + hex(ids.deviceUUID, VK_UUID_SIZE) + " driver " + hex(ids.driverUUID, VK_UUID_SIZE) + " " +
         std::to_string(device.vendorID) + ":" + std::to_string(device.deviceID) + " version " +
         std::to_string(device.driverVersion) + " cache " + hex(device.pipelineCacheUUID, VK_UUID_SIZE) +
         " cocopipe " COCO_VERSION;
}

}  // namespace

Status VulkanDevice::State::open_pipelines(const std::string& folder) {
  std::vector<uint8_t> known;
  if (!folder.empty()) {
    pipeline_folder = folder;
    pipeline_key = key_of(*this);
    known = backends::read_pipelines(folder, pipeline_key);
    pipeline_sum = sha256_hex(known);
  }
  auto info = backends::vulkan_struct<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
  info.initialDataSize = known.size();
  info.pInitialData = known.data();
  return backends::check_vulkan(api.CreatePipelineCache(device, &info, nullptr, &pipelines), "making a pipeline cache");
}

void VulkanDevice::State::keep_pipelines() {
  if (pipeline_folder.empty()) return;
  const std::unique_lock<std::mutex> lock(pipeline_mutex);
  size_t size = 0;
  if (api.GetPipelineCacheData(device, pipelines, &size, nullptr) != VK_SUCCESS || size == 0) return;
  std::vector<uint8_t> bytes(size);
  if (api.GetPipelineCacheData(device, pipelines, &size, bytes.data()) != VK_SUCCESS) return;
  bytes.resize(size);
  const std::string sum = sha256_hex(bytes);
  if (sum == pipeline_sum) return;
  const Status written = backends::write_pipelines(pipeline_folder, pipeline_key, bytes);
  if (written.ok()) {
    pipeline_sum = sum;
  } else {
    log(LogLevel::kWarning, "compiled shaders are not kept: " + written.error().message);
    pipeline_folder.clear();
  }
}

}  // namespace coco
