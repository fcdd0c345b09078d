#include "backends/vulkan/shader_code.h"

namespace coco::backends {
namespace {

// Lists of words that CMakeLists.txt has glslc make of shaders/*.comp.
constexpr uint32_t kQuantize[] =
#include "quantize.inc"
    ;
constexpr uint32_t kQuantizeControls[] =
#include "quantize_controls.inc"
    ;
constexpr uint32_t kQuantConv[] =
#include "qconv.inc"
    ;
constexpr uint32_t kQuantConvControls[] =
#include "qconv_controls.inc"
    ;
constexpr uint32_t kQuantConvDot[] =
#include "qconv_dot.inc"
    ;
constexpr uint32_t kQuantConvControlsDot[] =
#include "qconv_controls_dot.inc"
    ;
constexpr uint32_t kQuantConvLast[] =
#include "qconv_last.inc"
    ;
constexpr uint32_t kQuantConvLastControls[] =
#include "qconv_last_controls.inc"
    ;
constexpr uint32_t kQuantConvLastDot[] =
#include "qconv_last_dot.inc"
    ;
constexpr uint32_t kQuantConvLastControlsDot[] =
#include "qconv_last_controls_dot.inc"
    ;
constexpr uint32_t kConv[] =
#include "conv.inc"
    ;
constexpr uint32_t kResample[] =
#include "resample.inc"
    ;
constexpr uint32_t kResampleControls[] =
#include "resample_controls.inc"
    ;
constexpr uint32_t kPointwise[] =
#include "pointwise.inc"
    ;
constexpr uint32_t kPointwiseControls[] =
#include "pointwise_controls.inc"
    ;
constexpr uint32_t kShuffle[] =
#include "shuffle.inc"
    ;
constexpr uint32_t kStore[] =
#include "store.inc"
    ;
constexpr uint32_t kStoreControls[] =
#include "store_controls.inc"
    ;
constexpr uint32_t kSelfTest[] =
#include "self_test.inc"
    ;
constexpr uint32_t kSelfTestControls[] =
#include "self_test_controls.inc"
    ;

}  // namespace

std::span<const uint32_t> shader_code(GpuShader shader, const VulkanDeviceInfo& device) {
  using Code = std::span<const uint32_t>;
  const bool controls = device.float_controls;
  switch (shader) {
    case GpuShader::kQuantize:
      return controls ? Code(kQuantizeControls) : Code(kQuantize);
    case GpuShader::kQuantConv:
      if (device.packed_dot) return controls ? Code(kQuantConvControlsDot) : Code(kQuantConvDot);
      return controls ? Code(kQuantConvControls) : Code(kQuantConv);
    case GpuShader::kQuantConvLast:
      if (device.packed_dot) return controls ? Code(kQuantConvLastControlsDot) : Code(kQuantConvLastDot);
      return controls ? Code(kQuantConvLastControls) : Code(kQuantConvLast);
    case GpuShader::kConv:
      return kConv;
    case GpuShader::kResample:
      return controls ? Code(kResampleControls) : Code(kResample);
    case GpuShader::kPointwise:
      return controls ? Code(kPointwiseControls) : Code(kPointwise);
    case GpuShader::kShuffle:
      return kShuffle;
    case GpuShader::kStore:
      return controls ? Code(kStoreControls) : Code(kStore);
    case GpuShader::kSelfTest:
      return controls ? Code(kSelfTestControls) : Code(kSelfTest);
  }
  return {};
}

}  // namespace coco::backends
