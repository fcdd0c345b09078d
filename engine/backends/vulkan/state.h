// Purpose: what a VulkanDevice holds, for the files of this backend.
// Ownership: an own device and instance are destroyed with it, foreign ones are left alone.
// Threads: constant once made but for `lost` and the queue, which is used under use_queue().
// Failure: none here.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "backends/vulkan/api.h"
#include "coco/vulkan.h"

namespace coco {

struct VulkanDevice::State {
  backends::VulkanApi api;
  VulkanDeviceInfo info;
  VkInstance instance = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  uint32_t queue_family = 0;
  bool owned = true;
  VkPhysicalDeviceLimits limits{};
  VkPhysicalDeviceMemoryProperties memory{};
  std::function<void(const std::string&)> on_message;  ///< before the instance, which calls it
  std::mutex mutex;                                    ///< of an own queue
  std::function<void()> lock, unlock;                  ///< of a foreign one
  VkPipelineCache pipelines = VK_NULL_HANDLE;
  std::string pipeline_folder, pipeline_key;  ///< of its file; "": none is kept
  std::string pipeline_sum;                   ///< SHA-256 of what the file holds
  std::mutex pipeline_mutex;                  ///< of the file
  std::atomic<bool> lost{false};              ///< the driver said so; that does not pass

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  /// As check_vulkan(), and remembers when the device is lost.
  Status check(VkResult result, const char* what);
  /// kUnavailable once the device is lost.
  Status check_alive() const;

  /// Makes the cache of pipelines, of what the folder's file holds; "": of nothing.
  Status open_pipelines(const std::string& folder);
  /// Writes the file where pipelines have been added. That it cannot be written costs a log line.
  void keep_pipelines();
  /// Calls `use` while nobody else uses the queue.
  template <typename Use>
  auto use_queue(Use use) {
    if (lock) lock();
    const std::unique_lock<std::mutex> own(mutex);
    struct Unlock {
      const std::function<void()>& call;
      ~Unlock() {
        if (call) call();
      }
    } unlock_after{unlock};
    return use(queue);
  }
  /// A memory type of `types` (a bit each) with all of `wanted`, with `liked` too where there is one; -1: none.
  int memory_type(uint32_t types, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags liked) const;
};

namespace backends {

/// Compares the device's products and rounding with the processor's. kUnsupported where they differ.
Status check_arithmetic(const std::shared_ptr<VulkanDevice>& device);

}  // namespace backends
}  // namespace coco
