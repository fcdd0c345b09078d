// What Vulkan does not do is an error that says so.
#include <cstdlib>
#include <optional>

#include "backends/vulkan_device.h"
#include "catch.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

/// Sets an environment variable, and puts back what was there.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

Error refused(const std::shared_ptr<VulkanDevice>& device, format::Program program, const Shape& shape) {
  auto model = Model::from_program(std::move(program));
  if (!model.ok()) FAIL(model.error().message);
  auto session = Session::create(*model, std::vector<Shape>{shape}, on(device));
  REQUIRE_FALSE(session.ok());
  return session.take_error();
}

}  // namespace

TEST_CASE("devices that are not there") {
  const auto unknown = open_device("cuda");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == ErrorCode::kInvalidArgument);
  CHECK_THAT(unknown.error().message, ContainsSubstring("vulkan:INDEX"));
  for (const char* name : {"", "vulkan:", "vulkan:-1", "vulkan:1x", "vulkan:99999999999", "vulkan0"})
    CHECK_FALSE(open_device(name).ok());
  const auto cpu = open_device("cpu");
  REQUIRE(cpu.ok());
  CHECK(*cpu == nullptr);

  const auto far = open_device("vulkan:4000");
  REQUIRE_FALSE(far.ok());
  if (far.error().code == ErrorCode::kUnavailable) {
    WARN("skipped: " << far.error().message);
    return;
  }
  CHECK(far.error().code == ErrorCode::kNotFound);
  CHECK_THAT(far.error().message, ContainsSubstring("4000"));
}

TEST_CASE("a machine without a driver") {
  const Variable none("VK_ICD_FILENAMES", "/dev/null"), neither("VK_DRIVER_FILES", "/dev/null");
  const auto device = VulkanDevice::open(-1);
  REQUIRE_FALSE(device.ok());
  CHECK(device.error().code == ErrorCode::kUnavailable);
  const auto list = list_vulkan_devices();
  CHECK((!list.ok() || list->empty()));
}

TEST_CASE("operators without a shader are named") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder net;
  const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
  const Error error = refused(device, net.finish({net.op(format::SpaceToDepthParams{}, {in})}), {1, 1, 8, 8});
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK_THAT(error.message, ContainsSubstring("'op0' (SpaceToDepth) does not run on Vulkan"));
  SessionOptions line = on(device);
  line.executor = ExecutorKind::kLine;
  auto model = Model::from_program(golden_stack());
  REQUIRE(model.ok());
  CHECK_FALSE(Session::create(*model, std::vector<Shape>{golden_shape()}, line).ok());
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("batches do not run on Vulkan") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder net;
  const int in = net.input({kDynamicDim, 1, kDynamicDim, kDynamicDim});
  const Error error = refused(device, net.finish({net.op(format::BinaryParams{}, {in, in})}), {2, 1, 8, 8});
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK_THAT(error.message, ContainsSubstring("[2, 1, 8, 8]"));
}

TEST_CASE("what is too large for the device is refused before memory is taken") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder twice;
  const int in = twice.input({1, 2, kDynamicDim, kDynamicDim});
  const Error picture =
      refused(device, twice.finish({twice.op(format::BinaryParams{}, {in, in})}), {1, 2, 32768, 32000});
  CHECK(picture.code == ErrorCode::kResourceLimit);
  CHECK_THAT(picture.message, ContainsSubstring("in one buffer"));

  // A workgroup's part of 4096 channels, 10 x 34 pixels each, fits no shared memory.
  NetworkBuilder net;
  int x = net.op(format::QuantizeParams{255, 0}, {net.input({1, 4096, kDynamicDim, kDynamicDim})});
  auto last = same3x3(0, 0);
  last.dequantize = true;
  x = net.quant_conv(x, 4096, 1, last, [](int64_t, int64_t c, int64_t) { return c % 512 == 0; });
  const Error layer = refused(device, net.finish({x}), {1, 4096, 4, 4});
  CHECK(layer.code == ErrorCode::kResourceLimit);
  CHECK_THAT(layer.message, ContainsSubstring("shared memory"));
  CHECK(validation_messages() == std::vector<std::string>{});
}
