#include "backends/vulkan/plan.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "backends/vulkan/shader_code.h"
#include "backends/vulkan/state.h"

namespace coco::backends {
namespace {

constexpr size_t kMostSizes = 32;  // words of push constants every device takes

/// A buffer with memory of its own.
struct Memory {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  void* mapped = nullptr;
  size_t bytes = 0;
};

}  // namespace

struct GpuPlan::State {
  std::shared_ptr<VulkanDevice> device;
  VulkanDevice::State& vulkan;
  GpuPlanSpec spec;
  Memory pools[kGpuPools];
  Memory upload, download;                              ///< the host's side of input and output
  std::map<size_t, VkDescriptorSetLayout> set_layouts;  ///< by the number of bindings
  std::map<size_t, VkPipelineLayout> pipeline_layouts;
  std::map<std::vector<uint32_t>, VkPipeline> pipelines;  ///< by shader, bindings and constants
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  VkCommandPool commands = VK_NULL_HANDLE;
  VkCommandBuffer recording = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  bool running = false;

  State(std::shared_ptr<VulkanDevice> d, GpuPlanSpec s)
      : device(std::move(d)), vulkan(device->state()), spec(std::move(s)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  Status check() const;
  Status check(const GpuDispatch& dispatch) const;
  Status allocate(Memory& memory, size_t bytes, VkBufferUsageFlags usage, bool host, VkMemoryPropertyFlags liked);
  Status allocate_all();
  Status make_layouts(size_t bindings);
  Result<VkPipeline> pipeline_for(const GpuDispatch& dispatch);
  Status make_descriptor_pool();
  Result<VkDescriptorSet> make_descriptors(const GpuDispatch& dispatch);
  Status record();
  Status record_dispatch(const GpuDispatch& dispatch);
  void copy(const Memory& from, const Memory& to) const;
  void barrier(VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags read) const;
  Status submit();
  Status wait();
};

GpuPlan::State::~State() {
  const VulkanApi& api = vulkan.api;
  const VkDevice d = vulkan.device;
  if (running && !wait().ok()) running = false;  // lost: nothing runs any more
  for (const auto& [key, pipeline] : pipelines) api.DestroyPipeline(d, pipeline, nullptr);
  for (const auto& [count, layout] : pipeline_layouts) api.DestroyPipelineLayout(d, layout, nullptr);
  for (const auto& [count, layout] : set_layouts) api.DestroyDescriptorSetLayout(d, layout, nullptr);
  api.DestroyDescriptorPool(d, descriptors, nullptr);
  api.DestroyCommandPool(d, commands, nullptr);
  api.DestroyFence(d, fence, nullptr);
  for (const Memory* memory : {&pools[0], &pools[1], &pools[2], &pools[3], &upload, &download}) {
    api.DestroyBuffer(d, memory->buffer, nullptr);
    api.FreeMemory(d, memory->memory, nullptr);
  }
}

Status GpuPlan::State::check(const GpuDispatch& dispatch) const {
  const auto too_much = [&](const char* what, size_t wanted, size_t most) {
    return make_error(ErrorCode::kResourceLimit, "operator '" + dispatch.name + "' is too large for " +
                                                     vulkan.info.name + ": it needs " + std::to_string(wanted) + " " +
                                                     what + ", the device has " + std::to_string(most));
  };
  if (dispatch.shared_bytes > vulkan.limits.maxComputeSharedMemorySize)
    return too_much("bytes of shared memory", dispatch.shared_bytes, vulkan.limits.maxComputeSharedMemorySize);
  for (size_t i = 0; i < dispatch.groups.size(); ++i)
    if (dispatch.groups[i] > vulkan.limits.maxComputeWorkGroupCount[i])
      return too_much("workgroups", dispatch.groups[i], vulkan.limits.maxComputeWorkGroupCount[i]);
  COCO_CHECK(dispatch.sizes.size() <= kMostSizes, "push constants beyond what every device has");
  return {};
}

Status GpuPlan::State::check() const {
  for (const GpuRegion& region : spec.regions)
    if (region.bytes > vulkan.limits.maxStorageBufferRange)
      return make_error(ErrorCode::kResourceLimit, "'" + region.name + "' takes " + std::to_string(region.bytes) +
                                                       " bytes; " + vulkan.info.name + " takes " +
                                                       std::to_string(vulkan.limits.maxStorageBufferRange) +
                                                       " in one buffer; use smaller pictures");
  for (const GpuDispatch& dispatch : spec.dispatches) COCO_TRY(check(dispatch));
  return {};
}

Status GpuPlan::State::allocate(Memory& memory, size_t bytes, VkBufferUsageFlags usage, bool host,
                                VkMemoryPropertyFlags liked) {
  memory.bytes = std::max<size_t>(bytes, kGpuAlignment);  // no empty buffers
  const VulkanApi& api = vulkan.api;
  auto info = vulkan_struct<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.size = memory.bytes;
  info.usage = usage;
  COCO_TRY(check_vulkan(api.CreateBuffer(vulkan.device, &info, nullptr, &memory.buffer), "making a buffer"));
  VkMemoryRequirements needs{};
  api.GetBufferMemoryRequirements(vulkan.device, memory.buffer, &needs);
  const VkMemoryPropertyFlags wanted =
      host ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT : 0;
  const int type = vulkan.memory_type(needs.memoryTypeBits, wanted, wanted | liked);
  if (type < 0) return make_error(ErrorCode::kUnavailable, "Vulkan: the device has no memory for a buffer");
  auto allocation = vulkan_struct<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = static_cast<uint32_t>(type);
  const std::string what = "allocating " + std::to_string(needs.size) + " bytes";
  COCO_TRY(check_vulkan(api.AllocateMemory(vulkan.device, &allocation, nullptr, &memory.memory), what.c_str()));
  COCO_TRY(check_vulkan(api.BindBufferMemory(vulkan.device, memory.buffer, memory.memory, 0), "binding memory"));
  if (!host) return {};
  return check_vulkan(api.MapMemory(vulkan.device, memory.memory, 0, VK_WHOLE_SIZE, 0, &memory.mapped),
                      "mapping memory");
}

Status GpuPlan::State::allocate_all() {
  constexpr VkBufferUsageFlags kStorage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, kFrom = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                               kTo = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  constexpr VkMemoryPropertyFlags kDevice = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const auto pool = [&](GpuPool which) -> Memory& { return pools[static_cast<size_t>(which)]; };
  COCO_TRY(allocate(pool(GpuPool::kArena), spec.arena_bytes, kStorage, false, kDevice));
  // Written once, and small: read through the device's caches wherever it lies.
  COCO_TRY(allocate(pool(GpuPool::kConstants), spec.constants.size() * sizeof(uint32_t), kStorage, true, kDevice));
  COCO_TRY(allocate(pool(GpuPool::kInput), spec.input_bytes, kStorage | kTo, false, kDevice));
  COCO_TRY(allocate(pool(GpuPool::kOutput), spec.output_bytes, kStorage | kFrom, false, kDevice));
  COCO_TRY(allocate(upload, spec.input_bytes, kFrom, true, 0));
  COCO_TRY(allocate(download, spec.output_bytes, kTo, true, VK_MEMORY_PROPERTY_HOST_CACHED_BIT));
  if (!spec.constants.empty())
    std::memcpy(pool(GpuPool::kConstants).mapped, spec.constants.data(), spec.constants.size() * sizeof(uint32_t));
  return {};
}

Status GpuPlan::State::make_layouts(size_t bindings) {
  if (pipeline_layouts.contains(bindings)) return {};
  std::vector<VkDescriptorSetLayoutBinding> list(bindings);
  for (size_t i = 0; i < bindings; ++i)
    list[i] = {static_cast<uint32_t>(i), VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  auto set = vulkan_struct<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = static_cast<uint32_t>(bindings);
  set.pBindings = list.data();
  VkDescriptorSetLayout& set_layout = set_layouts[bindings];
  COCO_TRY(check_vulkan(vulkan.api.CreateDescriptorSetLayout(vulkan.device, &set, nullptr, &set_layout),
                        "making a descriptor layout"));
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, kMostSizes * sizeof(uint32_t)};
  auto info = vulkan_struct<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  info.setLayoutCount = info.pushConstantRangeCount = 1;
  info.pSetLayouts = &set_layout;
  info.pPushConstantRanges = &range;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  COCO_TRY(check_vulkan(vulkan.api.CreatePipelineLayout(vulkan.device, &info, nullptr, &layout),
                        "making a pipeline layout"));
  pipeline_layouts[bindings] = layout;
  return {};
}

Result<VkPipeline> GpuPlan::State::pipeline_for(const GpuDispatch& dispatch) {
  std::vector<uint32_t> key = dispatch.constants;
  key.push_back(static_cast<uint32_t>(dispatch.shader));
  if (const auto known = pipelines.find(key); known != pipelines.end()) return known->second;
  const std::span<const uint32_t> code = shader_code(dispatch.shader, vulkan.info);
  auto module_info = vulkan_struct<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  module_info.codeSize = code.size_bytes();
  module_info.pCode = code.data();
  VkShaderModule module = VK_NULL_HANDLE;
  COCO_TRY(
      check_vulkan(vulkan.api.CreateShaderModule(vulkan.device, &module_info, nullptr, &module), "reading a shader"));
  std::vector<VkSpecializationMapEntry> entries;
  for (uint32_t i = 0; i < dispatch.constants.size(); ++i)
    entries.push_back({i, static_cast<uint32_t>(i * sizeof(uint32_t)), sizeof(uint32_t)});
  const VkSpecializationInfo constants{static_cast<uint32_t>(entries.size()), entries.data(),
                                       dispatch.constants.size() * sizeof(uint32_t), dispatch.constants.data()};
  auto info = vulkan_struct<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &constants;
  info.layout = pipeline_layouts.at(dispatch.regions.size());
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult made =
      vulkan.api.CreateComputePipelines(vulkan.device, vulkan.pipelines, 1, &info, nullptr, &pipeline);
  vulkan.api.DestroyShaderModule(vulkan.device, module, nullptr);
  COCO_TRY(check_vulkan(made, ("compiling the shader of operator '" + dispatch.name + "'").c_str()));
  pipelines[key] = pipeline;
  return pipeline;
}

Status GpuPlan::State::make_descriptor_pool() {
  uint32_t bindings = 0;
  for (const GpuDispatch& dispatch : spec.dispatches) bindings += static_cast<uint32_t>(dispatch.regions.size());
  if (bindings == 0) return {};
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, bindings};
  auto info = vulkan_struct<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  info.maxSets = static_cast<uint32_t>(spec.dispatches.size());
  info.poolSizeCount = 1;
  info.pPoolSizes = &size;
  return check_vulkan(vulkan.api.CreateDescriptorPool(vulkan.device, &info, nullptr, &descriptors),
                      "making a descriptor pool");
}

Result<VkDescriptorSet> GpuPlan::State::make_descriptors(const GpuDispatch& dispatch) {
  auto info = vulkan_struct<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  info.descriptorPool = descriptors;
  info.descriptorSetCount = 1;
  info.pSetLayouts = &set_layouts.at(dispatch.regions.size());
  VkDescriptorSet set = VK_NULL_HANDLE;
  COCO_TRY(check_vulkan(vulkan.api.AllocateDescriptorSets(vulkan.device, &info, &set), "making descriptors"));
  std::vector<VkDescriptorBufferInfo> buffers;
  for (const int number : dispatch.regions) {
    const GpuRegion& region = spec.regions[static_cast<size_t>(number)];
    buffers.push_back({pools[static_cast<size_t>(region.pool)].buffer, region.offset, region.bytes});
  }
  auto write = vulkan_struct<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
  write.dstSet = set;
  write.descriptorCount = static_cast<uint32_t>(buffers.size());
  write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  write.pBufferInfo = buffers.data();
  vulkan.api.UpdateDescriptorSets(vulkan.device, 1, &write, 0, nullptr);
  return set;
}

void GpuPlan::State::copy(const Memory& from, const Memory& to) const {
  const VkBufferCopy whole{0, 0, from.bytes};
  vulkan.api.CmdCopyBuffer(recording, from.buffer, to.buffer, 1, &whole);
}

void GpuPlan::State::barrier(VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to,
                             VkAccessFlags read) const {
  auto memory = vulkan_struct<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = written;
  memory.dstAccessMask = read;
  vulkan.api.CmdPipelineBarrier(recording, from, to, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

Status GpuPlan::State::record_dispatch(const GpuDispatch& dispatch) {
  COCO_TRY(make_layouts(dispatch.regions.size()));
  COCO_ASSIGN(const VkPipeline pipeline, pipeline_for(dispatch));
  COCO_ASSIGN(const VkDescriptorSet set, make_descriptors(dispatch));
  const VkPipelineLayout layout = pipeline_layouts.at(dispatch.regions.size());
  const VulkanApi& api = vulkan.api;
  api.CmdBindPipeline(recording, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  api.CmdBindDescriptorSets(recording, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
  api.CmdPushConstants(recording, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<uint32_t>(dispatch.sizes.size() * sizeof(uint32_t)), dispatch.sizes.data());
  api.CmdDispatch(recording, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
  return {};
}

Status GpuPlan::State::record() {
  const VulkanApi& api = vulkan.api;
  auto pool = vulkan_struct<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.queueFamilyIndex = vulkan.queue_family;
  COCO_TRY(check_vulkan(api.CreateCommandPool(vulkan.device, &pool, nullptr, &commands), "making a command pool"));
  auto buffer = vulkan_struct<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer.commandPool = commands;
  buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  buffer.commandBufferCount = 1;
  COCO_TRY(check_vulkan(api.AllocateCommandBuffers(vulkan.device, &buffer, &recording), "making a command buffer"));
  auto fence_info = vulkan_struct<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  COCO_TRY(check_vulkan(api.CreateFence(vulkan.device, &fence_info, nullptr, &fence), "making a fence"));
  COCO_TRY(make_descriptor_pool());

  constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                 kCopy = VK_PIPELINE_STAGE_TRANSFER_BIT;
  constexpr VkAccessFlags kReads = VK_ACCESS_SHADER_READ_BIT, kWrites = VK_ACCESS_SHADER_WRITE_BIT;
  auto begin = vulkan_struct<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  COCO_TRY(check_vulkan(api.BeginCommandBuffer(recording, &begin), "recording"));
  copy(upload, pools[static_cast<size_t>(GpuPool::kInput)]);
  barrier(kCopy, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute, kReads);
  for (const GpuDispatch& dispatch : spec.dispatches) {
    COCO_TRY(record_dispatch(dispatch));
    barrier(kCompute, kWrites, kCompute, kReads | kWrites);
  }
  barrier(kCompute, kWrites, kCopy, VK_ACCESS_TRANSFER_READ_BIT);
  copy(pools[static_cast<size_t>(GpuPool::kOutput)], download);
  barrier(kCopy, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
  return check_vulkan(api.EndCommandBuffer(recording), "recording");
}

Status GpuPlan::State::submit() {
  COCO_TRY(vulkan.check_alive());
  auto info = vulkan_struct<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  info.commandBufferCount = 1;
  info.pCommandBuffers = &recording;
  const VkResult result =
      vulkan.use_queue([&](VkQueue queue) { return vulkan.api.QueueSubmit(queue, 1, &info, fence); });
  COCO_TRY(vulkan.check(result, "handing a frame to the device"));
  running = true;
  return {};
}

Status GpuPlan::State::wait() {
  COCO_TRY(
      vulkan.check(vulkan.api.WaitForFences(vulkan.device, 1, &fence, VK_TRUE, UINT64_MAX), "waiting for a frame"));
  running = false;
  return check_vulkan(vulkan.api.ResetFences(vulkan.device, 1, &fence), "after a frame");
}

GpuPlan::GpuPlan(std::unique_ptr<State> state) : state_(std::move(state)) {}
GpuPlan::~GpuPlan() = default;

Result<std::unique_ptr<GpuPlan>> GpuPlan::create(std::shared_ptr<VulkanDevice> device, GpuPlanSpec spec) {
  COCO_TRY(device->state().check_alive());
  auto state = std::make_unique<State>(std::move(device), std::move(spec));
  COCO_TRY(state->check());
  COCO_TRY(state->allocate_all());
  COCO_TRY(state->record());
  state->vulkan.keep_pipelines();
  return std::unique_ptr<GpuPlan>(new GpuPlan(std::move(state)));
}

void* GpuPlan::input() const { return state_->upload.mapped; }
const void* GpuPlan::output() const { return state_->download.mapped; }
size_t GpuPlan::memory_bytes() const {
  size_t bytes = state_->upload.bytes + state_->download.bytes;
  for (const Memory& pool : state_->pools) bytes += pool.bytes;
  return bytes;
}
Status GpuPlan::submit() { return state_->submit(); }
Status GpuPlan::wait() { return state_->wait(); }

}  // namespace coco::backends
