#include "runtime/gpu_program.h"

#include <algorithm>
#include <string>

namespace coco::runtime {

using backends::GpuLayout;
using backends::GpuOp;
using backends::GpuTensor;

int GpuProgram::add_source(const GpuTensor& tensor) {
  tensors.push_back(tensor);
  sources.push_back(static_cast<int>(tensors.size()) - 1);
  return sources.back();
}

int GpuProgram::add_step(GpuOp op, std::vector<int> inputs, const format::OpParams& params) {
  tensors.push_back(op.result);
  const int number = static_cast<int>(tensors.size()) - 1;
  steps.push_back({std::move(op), std::move(inputs), number, params});
  return number;
}

int GpuProgram::loaded(int tensor, const GpuTensor& as) {
  const GpuTensor from = tensors[static_cast<size_t>(tensor)];
  if (from.layout == as.layout) return tensor;
  return add_step(backends::make_gpu_load(from), {tensor});
}

Result<std::vector<int>> GpuProgram::append(const format::Program& program, std::span<const Shape> shapes,
                                            std::span<const int> inputs) {
  std::vector<int> tensor_of(program.values.size(), -1);
  for (size_t i = 0; i < inputs.size(); ++i) tensor_of[program.inputs[i]] = inputs[i];
  for (size_t i = 0; i < program.operators.size(); ++i) {
    const format::Operator& op = program.operators[i];
    std::vector<int> read;
    std::vector<GpuTensor> views;
    for (const int32_t value : op.inputs) {
      if (value == format::kNoValue || tensor_of[value] < 0) continue;
      read.push_back(tensor_of[value]);
      views.push_back(tensors[static_cast<size_t>(read.back())]);
    }
    COCO_ASSIGN(GpuOp bound, backends::bind_gpu_operator(program, i, shapes, views));
    for (size_t k = 0; k < read.size(); ++k) read[k] = loaded(read[k], bound.inputs[k]);
    tensor_of[op.outputs[0]] = add_step(std::move(bound), std::move(read), op.params);
  }
  std::vector<int> outputs;
  for (const int32_t value : program.outputs) {
    const int tensor = tensor_of[value];
    if (tensor < 0 || tensors[static_cast<size_t>(tensor)].layout == GpuLayout::kWords)
      return make_error(ErrorCode::kUnsupported, "output '" + program.values[value].name +
                                                     "' is not an f32 picture that depends on the input; Vulkan gives "
                                                     "no others yet");
    outputs.push_back(tensor);
  }
  macs += format::count_macs(program, shapes);
  return outputs;
}

int GpuProgram::add_resample(int tensor, int width, int height, kernels::ResampleKernel kernel) {
  const GpuTensor from = tensors[static_cast<size_t>(tensor)];
  return add_step(backends::make_gpu_resample(from, kernels::make_filter(from.width, width, kernel),
                                              kernels::make_filter(from.height, height, kernel)),
                  {tensor});
}

void GpuProgram::add_only_sink(int tensor) {
  if (!add_shuffled_sink(tensor, SampleType::kF32)) add_sink(tensor);
}

void GpuProgram::add_sink(int tensor) {
  const bool made = std::any_of(steps.begin(), steps.end(), [&](const GpuStep& step) { return step.output == tensor; });
  // The caller's own memory, or what another sink holds already: a copy.
  if (!made || std::find(sinks.begin(), sinks.end(), tensor) != sinks.end())
    tensor = add_step(backends::make_gpu_load(tensors[static_cast<size_t>(tensor)]), {tensor});
  sinks.push_back(tensor);
}

void GpuProgram::add_sink(int tensor, SampleType type) {
  if (add_shuffled_sink(tensor, type)) return;
  tensor = loaded(tensor, {});
  sinks.push_back(add_step(backends::make_gpu_store(tensors[static_cast<size_t>(tensor)], type), {tensor, tensor}));
}

const GpuStep* GpuProgram::sole_producer(int tensor) const {
  ptrdiff_t readers = std::count(sinks.begin(), sinks.end(), tensor);
  for (const GpuStep& step : steps) readers += std::count(step.inputs.begin(), step.inputs.end(), tensor);
  const auto made = std::find_if(steps.begin(), steps.end(), [&](const GpuStep& s) { return s.output == tensor; });
  return readers <= 1 && made != steps.end() ? &*made : nullptr;
}

int GpuProgram::add_shuffled(int sums, int base, SampleType type) {
  const GpuStep *const conv = sole_producer(sums), *const resize = sole_producer(base);
  if (conv != nullptr && resize != nullptr && backends::is_gpu_last(conv->op) &&
      resize->op.dispatch.shader == backends::GpuShader::kResample) {
    const std::vector<int> inputs = {conv->inputs[0], resize->inputs[0]};
    return add_step(backends::make_gpu_last(conv->op, resize->op, type), inputs);
  }
  const GpuTensor &channels = tensors[static_cast<size_t>(sums)], &picture = tensors[static_cast<size_t>(base)];
  return add_step(backends::make_gpu_shuffled_store(channels, picture, type), {sums, base});
}

bool GpuProgram::add_shuffled_sink(int tensor, SampleType type) {
  const GpuStep* const sum = sole_producer(tensor);
  if (sum == nullptr || sum->inputs.size() != 2 || tensors[static_cast<size_t>(tensor)].channels != 1) return false;
  const auto* binary = std::get_if<format::BinaryParams>(&sum->params);
  if (binary == nullptr || binary->kind != format::BinaryKind::kAdd) return false;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const GpuStep* const shuffle = sole_producer(sum->inputs[side]);
    const auto* params = shuffle != nullptr ? std::get_if<format::DepthToSpaceParams>(&shuffle->params) : nullptr;
    if (params == nullptr || params->block != 2) continue;
    sinks.push_back(add_shuffled(shuffle->inputs[0], sum->inputs[1 - side], type));
    drop_unread();
    return true;
  }
  return false;
}

void GpuProgram::drop_unread() {
  for (size_t i = steps.size(); i-- > 0;) {
    const int made = steps[i].output;
    const bool read = std::any_of(steps.begin(), steps.end(), [&](const GpuStep& step) {
      return std::find(step.inputs.begin(), step.inputs.end(), made) != step.inputs.end();
    });
    if (!read && std::find(sinks.begin(), sinks.end(), made) == sinks.end())
      steps.erase(steps.begin() + static_cast<ptrdiff_t>(i));
  }
}

}  // namespace coco::runtime
