// Products of f32 are rounded to nearest even, and so are results: what integer networks' bytes stand on. Some devices
// can be told to (float controls), all are looked at.
#include <cmath>
#include <cstring>

#include "backends/vulkan/plan.h"
#include "backends/vulkan/state.h"

namespace coco::backends {
namespace {

constexpr uint32_t kCount = 4096, kGroup = 64;

uint32_t bits_of(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof(bits));
  return bits;
}

/// Integers below 2^24 and factors: ties of the rounding to an integer, products between two floats, and a spread of
/// both.
void fill(uint32_t* pairs) {
  uint64_t state = 0x9E3779B97F4A7C15u;
  for (uint32_t i = 0; i < kCount; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    auto value = static_cast<int32_t>(state >> 40) - (1 << 23);
    float factor =
        std::ldexp(1.0f + static_cast<float>(state >> 8 & 0xffffff) / 16777216.0f, -static_cast<int>(state & 31));
    if (i % 4 == 0) value = 2 * (static_cast<int32_t>(i) - 2048) + 1, factor = 0.5f;
    if (i % 4 == 1) value |= 1, factor = 1.5f;
    pairs[2 * i] = static_cast<uint32_t>(value);
    pairs[2 * i + 1] = bits_of(i % 8 < 4 ? factor : -factor);
  }
}

}  // namespace

Status check_arithmetic(const std::shared_ptr<VulkanDevice>& device) {
  GpuPlanSpec spec;
  spec.input_bytes = spec.output_bytes = 2 * kCount * sizeof(uint32_t);
  spec.regions = {{GpuPool::kOutput, 0, spec.output_bytes, "self-test"},
                  {GpuPool::kInput, 0, spec.input_bytes, "self-test"}};
  GpuDispatch test;
  test.shader = GpuShader::kSelfTest;
  test.sizes = {kCount};
  test.regions = {0, 1};
  test.groups = {kCount / kGroup, 1, 1};
  test.name = "self-test";
  spec.dispatches = {test};
  COCO_ASSIGN(const auto plan, GpuPlan::create(device, std::move(spec)));
  auto* pairs = static_cast<uint32_t*>(plan->input());
  fill(pairs);
  COCO_TRY(plan->submit());
  COCO_TRY(plan->wait());
  const auto* results = static_cast<const uint32_t*>(plan->output());
  for (uint32_t i = 0; i < kCount; ++i) {
    float factor;
    std::memcpy(&factor, pairs + 2 * i + 1, sizeof(factor));
    const float product = static_cast<float>(static_cast<int32_t>(pairs[2 * i])) * factor;
    const auto nearest = static_cast<int32_t>(std::nearbyint(std::fmin(std::fmax(product, -65536.0f), 65536.0f)));
    if (results[2 * i] == bits_of(product) && static_cast<int32_t>(results[2 * i + 1]) == nearest) continue;
    return make_error(ErrorCode::kUnsupported,
                      device->info().name + " does not round f32 products to nearest even (product " +
                          std::to_string(i) +
                          " of its test); integer networks would get other bytes, so it is not used");
  }
  return {};
}

}  // namespace coco::backends
