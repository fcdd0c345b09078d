// Purpose: a Vulkan device for tests, under the validation layer: what that says fails the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coco/session.h"
#include "coco/vulkan.h"

namespace coco::testing {

/// Null where this machine has no device or no validation layer; the reason is printed.
std::shared_ptr<VulkanDevice> validated_device(PackedDot packed_dot = PackedDot::kAccelerated);
/// What the layer has said since the last call, of all devices.
std::vector<std::string> validation_messages();

/// Options of a session on `device`.
SessionOptions on(const std::shared_ptr<VulkanDevice>& device);

/// One f32 picture in, all outputs' numbers out. Fails the test where the model does not run.
std::vector<float> run_model(const std::shared_ptr<const Model>& model, const Shape& shape,
                             const std::vector<float>& input, const SessionOptions& options);

}  // namespace coco::testing
