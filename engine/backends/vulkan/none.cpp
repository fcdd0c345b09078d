// A build without Vulkan.
#include "backends/vulkan/plan.h"

namespace coco {
namespace {

Error not_built(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kUnavailable,
                    "cocopipe was built without Vulkan; install Vulkan's headers and glslc (on Debian: libvulkan-dev, "
                    "glslc) and build again",
                    file, line);
}

}  // namespace

struct VulkanDevice::State {
  VulkanDeviceInfo info;
};
VulkanDevice::VulkanDevice(std::unique_ptr<State> state) : state_(std::move(state)) {}
VulkanDevice::~VulkanDevice() = default;
const VulkanDeviceInfo& VulkanDevice::info() const { return state_->info; }
Result<std::shared_ptr<VulkanDevice>> VulkanDevice::open(int, const VulkanOptions&) { return not_built(); }
Result<std::shared_ptr<VulkanDevice>> VulkanDevice::adopt(const VulkanHandles&, const VulkanOptions&) {
  return not_built();
}
Result<std::vector<VulkanDeviceInfo>> list_vulkan_devices() { return not_built(); }

namespace backends {

struct GpuPlan::State {};
GpuPlan::GpuPlan(std::unique_ptr<State> state) : state_(std::move(state)) {}
GpuPlan::~GpuPlan() = default;
Result<std::unique_ptr<GpuPlan>> GpuPlan::create(std::shared_ptr<VulkanDevice>, GpuPlanSpec) { return not_built(); }
void* GpuPlan::input() const { return nullptr; }
const void* GpuPlan::output() const { return nullptr; }
size_t GpuPlan::memory_bytes() const { return 0; }
Status GpuPlan::submit() { return not_built(); }
Status GpuPlan::wait() { return not_built(); }

}  // namespace backends
}  // namespace coco
