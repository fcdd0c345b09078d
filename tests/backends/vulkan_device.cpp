#include "backends/vulkan_device.h"

#include <cstdio>
#include <mutex>

#include "catch.h"

namespace coco::testing {
namespace {

std::mutex mutex;
std::vector<std::string> messages;

}  // namespace

std::shared_ptr<VulkanDevice> validated_device(PackedDot packed_dot) {
  VulkanOptions options;
  options.packed_dot = packed_dot;
  options.on_validation_message = [](const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    messages.push_back(message);
  };
  auto device = VulkanDevice::open(-1, options);
  if (!device.ok()) {
    std::printf("skipped: %s\n", device.error().message.c_str());
    return nullptr;
  }
  return *device;
}

std::vector<std::string> validation_messages() {
  const std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(messages, {});
}

SessionOptions on(const std::shared_ptr<VulkanDevice>& device) {
  SessionOptions options;
  options.vulkan = device;
  return options;
}

std::vector<float> run_model(const std::shared_ptr<const Model>& model, const Shape& shape,
                             const std::vector<float>& input, const SessionOptions& options) {
  auto session = Session::create(model, std::vector<Shape>{shape}, options);
  if (!session.ok()) FAIL(session.error().message);
  size_t count = 0;
  for (const TensorInfo& info : (*session)->outputs()) count += static_cast<size_t>(*info.shape.element_count());
  std::vector<float> values(count, -1.0f);
  const std::vector<TensorView> in{{DataType::kF32, shape, input.data()}};
  std::vector<MutableTensorView> out;
  float* next = values.data();
  for (const TensorInfo& info : (*session)->outputs()) {
    out.push_back({DataType::kF32, info.shape, next});
    next += *info.shape.element_count();
  }
  const Status status = (*session)->run(in, out);
  if (!status.ok()) FAIL(status.error().message);
  return values;
}

}  // namespace coco::testing
