// Purpose: the shaders, as the build has compiled them.
// Ownership: constant data.
// Threads: any.
// Failure: none.
#pragma once

#include <cstdint>
#include <span>

#include "backends/vulkan/plan.h"

namespace coco::backends {

/// SPIR-V 1.3 for a device with these capabilities.
std::span<const uint32_t> shader_code(GpuShader shader, const VulkanDeviceInfo& device);

}  // namespace coco::backends
