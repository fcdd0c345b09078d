// Purpose: a Vulkan device that sessions run on: one of the machine's, or one that the caller has made already.
// Ownership: shared; a session keeps its device. A foreign device is borrowed and outlives everything made on it.
// Threads: any thread; the queue is used by one at a time, under the caller's lock where it is his.
// Failure: no loader, no device or a build without Vulkan is kUnavailable, an index beyond the last kNotFound.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coco/export.h"
#include "coco/status.h"

namespace coco {

struct VulkanDeviceInfo {
  int index = -1;              ///< among the machine's; -1: adopted
  std::string name;            ///< as the driver reports it
  std::string driver;          ///< name and version, "" below Vulkan 1.2
  bool software = false;       ///< runs on the CPU
  bool float_controls = false; /**< rounding to nearest even is asked for; where the driver has no such mode, a test
                                  when the device is opened says whether it rounds so */
  bool packed_dot = false;     ///< sums of four products of bytes in one instruction
};

/// When four products of bytes and their sum are one instruction (VK_KHR_shader_integer_dot_product).
enum class PackedDot : uint8_t {
  kAccelerated,  ///< where the device says that it is faster
  kSupported,    ///< where the device knows it
  kNever,
};

struct VulkanOptions {
  PackedDot packed_dot = PackedDot::kAccelerated;
  /// Where compiled shaders are kept from one run of the program to the next; "": nowhere.
  std::string cache_folder;
  /// Turns Khronos' validation layer on and gets its messages, from any thread; kUnavailable where it is not installed.
  /// For tests. Not for adopted devices, whose instance is the caller's.
  std::function<void(const std::string&)> on_validation_message;
};

/// Vulkan objects of the caller's, as pointers, so that this header needs none of Vulkan's. `extensions` and the
/// features say what the device was made with: nothing else is used.
struct VulkanHandles {
  /// vkGetInstanceProcAddr; null: that of the system's loader.
  void* get_instance_proc_addr = nullptr;
  void* instance = nullptr;         ///< VkInstance
  void* physical_device = nullptr;  ///< VkPhysicalDevice
  void* device = nullptr;           ///< VkDevice
  void* queue = nullptr;            ///< VkQueue, of a family that computes
  uint32_t queue_family = 0;
  uint32_t api_version = 0;             ///< that the instance asked for (VK_MAKE_API_VERSION), 1.1 or later
  std::vector<std::string> extensions;  ///< of the device, enabled
  bool shader_integer_dot_product = false;
  /// Called around every use of the queue; both or neither.
  std::function<void()> lock, unlock;
};

class COCO_API VulkanDevice {
 public:
  /// The index-th of list_vulkan_devices(); -1: the first of the fastest kind (discrete, integrated, virtual,
  /// software).
  static Result<std::shared_ptr<VulkanDevice>> open(int index, const VulkanOptions& options = {});
  static Result<std::shared_ptr<VulkanDevice>> adopt(const VulkanHandles& handles, const VulkanOptions& options = {});
  ~VulkanDevice();

  const VulkanDeviceInfo& info() const;

  struct State;  ///< the engine's own
  State& state() const { return *state_; }

 private:
  explicit VulkanDevice(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// In the loader's order. Nothing is made on them.
COCO_API Result<std::vector<VulkanDeviceInfo>> list_vulkan_devices();

/// What a user names: "cpu" (null), "vulkan" (as open(-1)) or "vulkan:INDEX".
COCO_API Result<std::shared_ptr<VulkanDevice>> open_device(std::string_view name, const VulkanOptions& options = {});

}  // namespace coco
