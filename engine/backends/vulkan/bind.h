// Purpose: binds operators to shaders: what a GpuDispatch holds but for the regions it works on.
// Ownership: values; constants are copied.
// Threads: any.
// Failure: an operator that has no shader, or whose shapes it does not take, is kUnsupported, named with the reason.
#pragma once

#include <span>

#include "backends/vulkan/plan.h"
#include "coco/buffer.h"
#include "coco/tensor.h"
#include "format/program.h"
#include "kernels/resample/filter.h"

namespace coco::backends {

/// How a tensor of one picture lies in a device's memory.
enum class GpuLayout : uint8_t {
  kPlanes,   ///< f32 [C][H][W]
  kWords,    ///< u8 as words of four channels, the first in the lowest byte: [ceil(C / 4)][H][W]
  kSamples,  ///< one plane of the caller's samples, rows padded to words
};

struct GpuTensor {
  GpuLayout layout = GpuLayout::kPlanes;
  int channels = 1, height = 1, width = 1;
  SampleType samples = SampleType::kF32;  ///< of kSamples

  int planes() const { return layout == GpuLayout::kWords ? (channels + 3) / 4 : channels; }
  /// Words in a row.
  int pitch() const;
  size_t bytes() const { return size_t{4} * static_cast<size_t>(planes()) * static_cast<size_t>(height) * pitch(); }
};

struct GpuOp {
  GpuDispatch dispatch;           ///< regions: left to the caller: the result, the inputs, `constants`
  std::vector<GpuTensor> inputs;  ///< as the shader reads them; planes where the caller has samples: load first
  GpuTensor result;
  std::vector<uint32_t> constants;  ///< the last binding, where there are any
};

/// Operator `index` of a program. `inputs`: those of its inputs that are computed, in order.
Result<GpuOp> bind_gpu_operator(const format::Program& program, size_t index, std::span<const Shape> shapes,
                                std::span<const GpuTensor> inputs);

/// Separable resampling, vertically first.
GpuOp make_gpu_resample(const GpuTensor& input, const kernels::FilterTable& horizontal,
                        const kernels::FilterTable& vertical);
/// Samples as f32 planes.
GpuOp make_gpu_load(const GpuTensor& samples);
/// One f32 plane as samples.
GpuOp make_gpu_store(const GpuTensor& plane, SampleType type);
/// The pixel shuffle of four planes by 2, plus `base`, as samples (or f32).
GpuOp make_gpu_shuffled_store(const GpuTensor& sums, const GpuTensor& base, SampleType type);
/// Whether make_gpu_last takes this operator: an integer convolution that leaves four channels in f32.
bool is_gpu_last(const GpuOp& op);
/// Such a convolution, the pixel shuffle of its channels by 2, plus a resampled picture of twice its size
/// (make_gpu_resample), as samples (or f32), in one go. Inputs: the convolution's, the picture.
GpuOp make_gpu_last(const GpuOp& conv, const GpuOp& base, SampleType type);

// One binder each, used by bind_gpu_operator.
struct GpuBindContext {
  const format::Program& program;
  size_t operator_index;
  std::span<const Shape> shapes;
  std::span<const GpuTensor> inputs;

  const format::Operator& op() const { return program.operators[operator_index]; }
  /// "operator NAME (KIND) does not run on Vulkan: WHY".
  Error unsupported(const std::string& why) const;
  /// Input i of the operator is a constant of `type`: its bytes.
  Result<std::span<const uint8_t>> constant(size_t i, DataType type) const;
  bool has_input(size_t i) const { return i < op().inputs.size() && op().inputs[i] != format::kNoValue; }
  /// The result as f32 planes or words, by its type.
  Result<GpuTensor> result() const;
};
Result<GpuOp> bind_gpu_quantize(const GpuBindContext& context);
Result<GpuOp> bind_gpu_conv(const GpuBindContext& context);
Result<GpuOp> bind_gpu_quant_conv(const GpuBindContext& context);

/// Workgroups of 16 x 8 that cover a tensor, a layer of them for each plane.
std::array<uint32_t, 3> gpu_groups(int width, int height, int planes);
uint32_t gpu_bits(float value);
/// What shaders call the samples of a tensor (common.glsl), and what they multiply them by.
uint32_t gpu_kind(const GpuTensor& tensor);
uint32_t gpu_unit(const GpuTensor& tensor);

}  // namespace coco::backends
