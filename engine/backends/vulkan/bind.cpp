#include "backends/vulkan/bind.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/resize_table.h"

namespace coco::backends {
namespace {

constexpr int kGroupX = 16, kGroupY = 8, kGroupLine = 128;
constexpr int kLineGroups = 1024;  // workgroups in a row of those that go through a tensor element by element

uint32_t word_of(int value) { return static_cast<uint32_t>(value); }

Status check_planes(const GpuBindContext& context) {
  for (const GpuTensor& input : context.inputs)
    if (input.layout == GpuLayout::kWords) return context.unsupported("it reads integers");
  return {};
}

/// What reads f32 planes only has samples loaded first.
GpuTensor as_planes(GpuTensor tensor) {
  if (tensor.layout == GpuLayout::kSamples) tensor.layout = GpuLayout::kPlanes;
  return tensor;
}

Result<GpuOp> bind_resize(const GpuBindContext& context) {
  COCO_TRY(check_planes(context));
  COCO_ASSIGN(const GpuTensor result, context.result());
  const GpuTensor& input = context.inputs[0];
  if (input.channels != result.channels) return context.unsupported("it resizes the channels");
  const auto& params = std::get<format::ResizeParams>(context.op().params);
  return make_gpu_resample(input, make_resize_table(params, 3, input.width, result.width),
                           make_resize_table(params, 2, input.height, result.height));
}

Result<GpuOp> bind_depth_to_space(const GpuBindContext& context) {
  COCO_TRY(check_planes(context));
  const auto& params = std::get<format::DepthToSpaceParams>(context.op().params);
  GpuOp bound;
  COCO_ASSIGN(bound.result, context.result());
  bound.inputs = {as_planes(context.inputs[0])};
  bound.dispatch.shader = GpuShader::kShuffle;
  bound.dispatch.constants = {static_cast<uint32_t>(params.block),
                              params.mode == format::DepthToSpaceMode::kCrd ? 1U : 0U, word_of(bound.result.channels)};
  bound.dispatch.sizes = {word_of(bound.result.width), word_of(bound.result.height)};
  bound.dispatch.groups = gpu_groups(bound.result.width, bound.result.height, bound.result.planes());
  return bound;
}

Result<GpuOp> bind_binary(const GpuBindContext& context) {
  COCO_TRY(check_planes(context));
  const auto kind = std::get<format::BinaryParams>(context.op().params).kind;
  if (kind != format::BinaryKind::kAdd && kind != format::BinaryKind::kSub && kind != format::BinaryKind::kMul)
    return context.unsupported("it is '" + std::string(format::to_string(kind)) + "'; add, sub and mul are known");
  GpuOp bound;
  COCO_ASSIGN(bound.result, context.result());
  const auto fits = [&](const GpuTensor& t) {
    return t.channels == bound.result.channels && t.height == bound.result.height && t.width == bound.result.width;
  };
  if (context.inputs.size() != 2 || !fits(context.inputs[0]) || !fits(context.inputs[1]))
    return context.unsupported("its operands are not two computed tensors of one size");
  const auto count = static_cast<int>(bound.result.bytes() / sizeof(float));
  const int groups = (count + kGroupLine - 1) / kGroupLine;
  bound.inputs = {as_planes(context.inputs[0]), as_planes(context.inputs[1])};
  bound.dispatch.shader = GpuShader::kPointwise;
  bound.dispatch.constants = {kind == format::BinaryKind::kAdd ? 0U : kind == format::BinaryKind::kSub ? 1U : 2U};
  bound.dispatch.sizes = {word_of(kLineGroups * kGroupLine), word_of(count)};
  bound.dispatch.groups = {word_of(std::min(groups, kLineGroups)), word_of((groups + kLineGroups - 1) / kLineGroups),
                           1};
  return bound;
}

void append(std::vector<uint32_t>& words, const std::vector<int>& values) {
  for (const int value : values) words.push_back(word_of(value));
}
void append(std::vector<uint32_t>& words, const std::vector<float>& values) {
  for (const float value : values) words.push_back(gpu_bits(value));
}

kernels::FilterTable identity(int length) {
  kernels::FilterTable table;
  table.in = table.out = length, table.taps = 1;
  for (int i = 0; i < length; ++i) table.first.push_back(i);
  table.weights.assign(static_cast<size_t>(length), 1.0f);
  return table;
}

GpuOp store(const GpuTensor& values, GpuTensor result, bool shuffled) {
  GpuOp bound;
  bound.inputs = {values};
  bound.result = result;
  bound.dispatch.shader = GpuShader::kStore;
  bound.dispatch.name = "store";
  bound.dispatch.constants = {gpu_kind(result), gpu_bits(static_cast<float>(max_value(result.samples))),
                              shuffled ? 1U : 0U};
  bound.dispatch.sizes = {word_of(result.width), word_of(result.height), word_of(result.pitch())};
  bound.dispatch.groups = gpu_groups(result.pitch(), result.height, 1);
  return bound;
}

}  // namespace

int GpuTensor::pitch() const {
  if (layout != GpuLayout::kSamples) return width;
  return static_cast<int>((static_cast<size_t>(width) * byte_size(samples) + 3) / 4);
}

std::array<uint32_t, 3> gpu_groups(int width, int height, int planes) {
  return {word_of((width + kGroupX - 1) / kGroupX), word_of((height + kGroupY - 1) / kGroupY), word_of(planes)};
}

uint32_t gpu_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

uint32_t gpu_kind(const GpuTensor& tensor) {
  if (tensor.layout != GpuLayout::kSamples) return 0;
  switch (tensor.samples) {
    case SampleType::kU8:
      return 1;
    case SampleType::kU16Lsb10:
      return 2;
    case SampleType::kU16Msb10:
      return 3;
    case SampleType::kF32:
      break;
  }
  return 0;
}

uint32_t gpu_unit(const GpuTensor& tensor) {
  return gpu_bits(gpu_kind(tensor) == 0 ? 1.0f : 1.0f / static_cast<float>(max_value(tensor.samples)));
}

Error GpuBindContext::unsupported(const std::string& why) const {
  return make_error(ErrorCode::kUnsupported, "operator '" + op().name + "' (" + std::string(to_string(op().kind())) +
                                                 ") does not run on Vulkan: " + why);
}

Result<std::span<const uint8_t>> GpuBindContext::constant(size_t i, DataType type) const {
  if (!has_input(i) || !program.values[op().inputs[i]].is_constant())
    return unsupported("its input " + std::to_string(i) + " is not constant");
  const format::Value& value = program.values[op().inputs[i]];
  if (value.type != type) return unsupported("constant '" + value.name + "' is not " + std::string(to_string(type)));
  return value.constant.bytes;
}

Result<GpuTensor> GpuBindContext::result() const {
  const int32_t value = op().outputs[0];
  const Shape& shape = shapes[value];
  const DataType type = program.values[value].type;
  if (type != DataType::kF32 && type != DataType::kU8)
    return unsupported("its result is " + std::string(to_string(type)));
  if (shape.rank() != 4 || shape[0] != 1 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1)
    return unsupported("its result is " + shape.to_string() + ", not one picture [1, C, H, W]");
  GpuTensor tensor;
  tensor.layout = type == DataType::kU8 ? GpuLayout::kWords : GpuLayout::kPlanes;
  tensor.channels = static_cast<int>(shape[1]);
  tensor.height = static_cast<int>(shape[2]);
  tensor.width = static_cast<int>(shape[3]);
  return tensor;
}

GpuOp make_gpu_resample(const GpuTensor& input, const kernels::FilterTable& horizontal,
                        const kernels::FilterTable& vertical) {
  GpuOp bound;
  bound.inputs = {input};
  bound.result = {GpuLayout::kPlanes, input.channels, vertical.out, horizontal.out};
  append(bound.constants, horizontal.first);
  append(bound.constants, horizontal.weights);
  append(bound.constants, vertical.first);
  append(bound.constants, vertical.weights);
  bound.dispatch.shader = GpuShader::kResample;
  bound.dispatch.name = "resample";
  bound.dispatch.constants = {gpu_kind(input), gpu_unit(input), word_of(horizontal.taps), word_of(vertical.taps)};
  bound.dispatch.sizes = {word_of(input.height), word_of(input.pitch()), word_of(bound.result.width),
                          word_of(bound.result.height)};
  bound.dispatch.groups = gpu_groups(bound.result.width, bound.result.height, input.channels);
  return bound;
}

GpuOp make_gpu_load(const GpuTensor& samples) {
  return make_gpu_resample(samples, identity(samples.width), identity(samples.height));
}

GpuOp make_gpu_store(const GpuTensor& plane, SampleType type) {
  GpuOp bound = store(plane, {GpuLayout::kSamples, 1, plane.height, plane.width, type}, false);
  bound.inputs.push_back(plane);  // the shader's other input, not read
  return bound;
}

GpuOp make_gpu_shuffled_store(const GpuTensor& sums, const GpuTensor& base, SampleType type) {
  GpuOp bound = store(sums, {GpuLayout::kSamples, 1, base.height, base.width, type}, true);
  bound.inputs.push_back(base);
  return bound;
}

Result<GpuOp> bind_gpu_operator(const format::Program& program, size_t index, std::span<const Shape> shapes,
                                std::span<const GpuTensor> inputs) {
  const GpuBindContext context{program, index, shapes, inputs};
  const auto bound = [&]() -> Result<GpuOp> {
    if (inputs.empty()) return context.unsupported("it has no computed input");
    const format::OpKind kind = context.op().kind();
    if (inputs[0].layout == GpuLayout::kWords && kind == format::OpKind::kQuantConv2d)
      return bind_gpu_quant_conv(context);
    switch (kind) {
      case format::OpKind::kConv2d:
        return bind_gpu_conv(context);
      case format::OpKind::kQuantize:
        return bind_gpu_quantize(context);
      case format::OpKind::kResize:
        return bind_resize(context);
      case format::OpKind::kDepthToSpace:
        return bind_depth_to_space(context);
      case format::OpKind::kBinary:
        return bind_binary(context);
      default:
        return context.unsupported("it has no shader yet");
    }
  };
  Result<GpuOp> result = bound();
  if (result.ok()) result->dispatch.name = context.op().name;
  return result;
}

}  // namespace coco::backends
