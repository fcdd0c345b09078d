// Purpose: work for a Vulkan device, recorded once and run for every frame: dispatches of the backend's shaders over
// regions of its memory. Nothing here is Vulkan's own, so that a build without it has the same interface.
// Ownership: a plan holds its device's memory and pipelines and shares the device.
// Threads: one run at a time per plan.
// Failure: create() checks everything against the device's limits (kResourceLimit); submit() and wait() fail only when
// the device is lost (kUnavailable).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coco/status.h"
#include "coco/vulkan.h"

namespace coco::backends {

/// shaders/NAME.comp; kQuantConvLast is qconv.comp with COCO_LAST.
enum class GpuShader : uint8_t {
  kQuantize,
  kQuantConv,
  kQuantConvLast,
  kConv,
  kResample,
  kPointwise,
  kShuffle,
  kStore,
  kSelfTest
};

/// Offsets of regions are multiples: the most that a device may ask for.
inline constexpr size_t kGpuAlignment = 256;

enum class GpuPool : uint8_t {
  kArena,      ///< what operators leave for each other
  kConstants,  ///< GpuPlanSpec::constants
  kInput,      ///< the caller's, copied in before the first dispatch
  kOutput,     ///< copied out after the last one
};
inline constexpr int kGpuPools = 4;

struct GpuRegion {
  GpuPool pool = GpuPool::kArena;
  size_t offset = 0, bytes = 0;
  std::string name;  ///< for messages
};

struct GpuDispatch {
  GpuShader shader = GpuShader::kStore;
  std::vector<uint32_t> constants;  ///< specialisation constants 0, 1, ... (bits of floats and bools)
  std::vector<uint32_t> sizes;      ///< push constants, at most 32
  std::vector<int> regions;         ///< of bindings 0, 1, ...; the result first
  std::array<uint32_t, 3> groups{1, 1, 1};
  size_t shared_bytes = 0;  ///< a workgroup's
  std::string name;         ///< for messages: the operator's
};

struct GpuPlanSpec {
  std::vector<GpuRegion> regions;
  std::vector<GpuDispatch> dispatches;  ///< each sees what those before it have written
  std::vector<uint32_t> constants;
  size_t arena_bytes = 0, input_bytes = 0, output_bytes = 0;
};

class GpuPlan {
 public:
  static Result<std::unique_ptr<GpuPlan>> create(std::shared_ptr<VulkanDevice> device, GpuPlanSpec spec);
  ~GpuPlan();

  /// Host memory of the input and output pools; the former is read from submit() to wait(), the latter written.
  void* input() const;
  const void* output() const;
  size_t memory_bytes() const;
  /// Starts a run. Allocates nothing.
  Status submit();
  /// Until it is done.
  Status wait();

 private:
  struct State;
  explicit GpuPlan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coco::backends
