// What a Vulkan device refuses or loses is an error, and leaves nothing behind: every call that can fail is made to.
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "backends/foreign_device.h"
#include "backends/vulkan_device.h"
#include "catch.h"
#include "coco/session.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

/// The call that fails, after so many of its kind went well; from then on, or just once.
struct Plan {
  const char* name = "";
  int after = 0;
  VkResult result = VK_SUCCESS;
  bool for_ever = false;
  int calls = 0;  ///< of this name since the plan was made
} g_plan;

bool fails(const char* name) {
  if (std::strcmp(name, g_plan.name) != 0) return false;
  const int call = g_plan.calls++;
  return g_plan.for_ever ? call >= g_plan.after : call == g_plan.after;
}

enum class Call {
  kSubmit,
  kWait,
  kMemory,
  kBuffer,
  kBind,
  kMap,
  kModule,
  kLayout,
  kPipelineLayout,
  kPipelines,
  kPool,
  kSets,
  kCommandPool,
  kCommands,
  kBegin,
  kEnd,
  kFence
};

/// Stands between the backend and one of the device's functions.
template <Call kCall, typename Function>
struct Hook;
template <Call kCall, typename... Arguments>
struct Hook<kCall, VkResult(VKAPI_PTR*)(Arguments...)> {
  static inline const char* name = "";
  static inline VkResult(VKAPI_PTR* real)(Arguments...) = nullptr;
  static VkResult VKAPI_PTR call(Arguments... arguments) {
    if (!fails(name)) return real(arguments...);
    if constexpr (kCall == Call::kWait) real(arguments...);  // the device is there: what it reads must stay
    return g_plan.result;
  }
  static PFN_vkVoidFunction install(const char* wanted, PFN_vkVoidFunction found) {
    name = wanted;
    real = reinterpret_cast<decltype(real)>(found);
    return reinterpret_cast<PFN_vkVoidFunction>(&call);
  }
};

struct Row {
  const char* name;
  PFN_vkVoidFunction (*install)(const char*, PFN_vkVoidFunction);
};
#define COCO_HOOK(call, function) \
  Row { "vk" #function, &Hook<Call::call, PFN_vk##function>::install }
constexpr std::array kHooks{COCO_HOOK(kSubmit, QueueSubmit),
                            COCO_HOOK(kWait, WaitForFences),
                            COCO_HOOK(kMemory, AllocateMemory),
                            COCO_HOOK(kBuffer, CreateBuffer),
                            COCO_HOOK(kBind, BindBufferMemory),
                            COCO_HOOK(kMap, MapMemory),
                            COCO_HOOK(kModule, CreateShaderModule),
                            COCO_HOOK(kLayout, CreateDescriptorSetLayout),
                            COCO_HOOK(kPipelineLayout, CreatePipelineLayout),
                            COCO_HOOK(kPipelines, CreateComputePipelines),
                            COCO_HOOK(kPool, CreateDescriptorPool),
                            COCO_HOOK(kSets, AllocateDescriptorSets),
                            COCO_HOOK(kCommandPool, CreateCommandPool),
                            COCO_HOOK(kCommands, AllocateCommandBuffers),
                            COCO_HOOK(kBegin, BeginCommandBuffer),
                            COCO_HOOK(kEnd, EndCommandBuffer),
                            COCO_HOOK(kFence, CreateFence)};

PFN_vkGetInstanceProcAddr g_instance_functions = nullptr;
PFN_vkGetDeviceProcAddr g_device_functions = nullptr;

PFN_vkVoidFunction VKAPI_PTR device_function(VkDevice device, const char* name) {
  const PFN_vkVoidFunction found = g_device_functions(device, name);
  for (const Row& row : kHooks) {
    if (found != nullptr && std::strcmp(row.name, name) == 0) return row.install(row.name, found);
  }
  return found;
}
PFN_vkVoidFunction VKAPI_PTR instance_function(VkInstance instance, const char* name) {
  const PFN_vkVoidFunction found = g_instance_functions(instance, name);
  if (std::strcmp(name, "vkGetDeviceProcAddr") != 0) return found;
  g_device_functions = reinterpret_cast<PFN_vkGetDeviceProcAddr>(found);
  return reinterpret_cast<PFN_vkVoidFunction>(&device_function);
}

/// An adopted device behind the hooks; null, and a line that says why, without one.
std::shared_ptr<VulkanDevice> hooked(Foreign& foreign) {
  g_plan = {};
  if (const Status made = foreign.make(); !made.ok()) {
    std::printf("skipped: %s\n", made.error().message.c_str());
    return nullptr;
  }
  g_instance_functions = foreign.api.get_instance_proc_addr;
  VulkanHandles handles = foreign.handles();
  handles.get_instance_proc_addr = reinterpret_cast<void*>(&instance_function);
  auto device = VulkanDevice::adopt(handles);
  if (!device.ok()) FAIL(device.error().message);
  return *device;
}

/// A session of the golden network, and one run.
struct Job {
  explicit Job(const std::shared_ptr<VulkanDevice>& device) {
    auto made = Session::create(Model::from_program(golden_stack()).value(), std::array{golden_shape()}, on(device));
    status = made.ok() ? Status() : Status(made.error());
    if (made.ok()) session = std::move(made).value();
  }
  Status run() {
    const std::vector<float> input = golden_input();
    std::vector<float> output(static_cast<size_t>(session->outputs()[0].shape.element_count().value()));
    const TensorView in{DataType::kF32, golden_shape(), input.data()};
    const MutableTensorView out{DataType::kF32, session->outputs()[0].shape, output.data()};
    return session->run({&in, 1}, {&out, 1});
  }
  Status status;
  std::unique_ptr<Session> session;
};

void check_text(const Status& status, ErrorCode code, const char* text) {
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == code);
  CHECK_THAT(status.error().message, ContainsSubstring(text));
}

}  // namespace

TEST_CASE("a device that is lost stays unavailable, for sessions made before and after") {
  for (const char* call : {"vkQueueSubmit", "vkWaitForFences"}) {
    CAPTURE(call);
    Foreign foreign;
    auto device = hooked(foreign);
    if (device == nullptr) return;
    {
      Job job(device);
      REQUIRE(job.status.ok());
      CHECK(job.run().ok());
      g_plan = {call, 0, VK_ERROR_DEVICE_LOST, true};
      check_text(job.run(), ErrorCode::kUnavailable, "VK_ERROR_DEVICE_LOST");
      g_plan = {};
      check_text(job.run(), ErrorCode::kUnavailable, "is lost");
      check_text(Job(device).status, ErrorCode::kUnavailable, "is lost");
    }
    device.reset();
    foreign.destroy();
    CHECK(foreign.messages == std::vector<std::string>{});
  }
}

TEST_CASE("whatever fails while a session is made is an error that leaves nothing behind") {
  Foreign foreign;
  auto device = hooked(foreign);
  if (device == nullptr) return;
  REQUIRE(Job(device).status.ok());
  for (const Row& row : kHooks) {
    CAPTURE(row.name);
    int reached = 0;
    for (int after = 0; after < 100; ++after) {
      g_plan = {row.name, after, VK_ERROR_OUT_OF_DEVICE_MEMORY};
      Job job(device);
      if (g_plan.calls <= after) break;
      ++reached;
      CAPTURE(after);
      check_text(job.status, ErrorCode::kResourceLimit, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
    }
    const bool while_running =
        std::strcmp(row.name, "vkQueueSubmit") == 0 || std::strcmp(row.name, "vkWaitForFences") == 0;
    CHECK((reached > 0) != while_running);
  }
  g_plan = {};
  Job job(device);
  REQUIRE(job.status.ok());
  CHECK(job.run().ok());
  job.session.reset();
  device.reset();
  foreign.destroy();
  CHECK(foreign.messages == std::vector<std::string>{});
}
