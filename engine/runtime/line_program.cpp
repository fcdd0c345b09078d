#include "runtime/line_program.h"

#include <algorithm>
#include <string>

#include "coco/device.h"

namespace coco::runtime {

using backends::RowTensor;
using kernels::Capabilities;

int LineProgram::add_source(RowTensor tensor, const Capabilities& capabilities) {
  tensors.push_back(tensor);
  const int number = static_cast<int>(tensors.size()) - 1;
  ops.push_back({backends::make_source(bindings++, tensor, capabilities), {}, number});
  return number;
}

void LineProgram::add_sink(int tensor, const Capabilities& capabilities) {
  ops.push_back({backends::make_sink(bindings++, tensors[tensor], capabilities), {tensor}, -1});
}

int LineProgram::add_resample(int tensor, int width, int height, kernels::ResampleKernel kernel,
                              const Capabilities& capabilities) {
  const RowTensor from = tensors[tensor];
  tensors.push_back({from.channels, height, width});
  const int number = static_cast<int>(tensors.size()) - 1;
  auto horizontal = kernels::make_filter(from.width, width, kernel);
  auto vertical = kernels::make_filter(from.height, height, kernel);
  ops.push_back({backends::make_resample(std::move(horizontal), std::move(vertical), from.channels, capabilities),
                 {tensor},
                 number});
  return number;
}

namespace {

/// Operators whose result reaches an output.
std::vector<bool> live_operators(const format::Program& program) {
  std::vector<bool> wanted(program.values.size(), false), live(program.operators.size(), false);
  for (int32_t value : program.outputs) wanted[value] = true;
  for (size_t i = program.operators.size(); i-- > 0;) {
    for (int32_t value : program.operators[i].outputs) live[i] = live[i] || wanted[value];
    if (!live[i]) continue;
    for (int32_t value : program.operators[i].inputs)
      if (value != format::kNoValue) wanted[value] = true;
  }
  return live;
}

}  // namespace

Result<std::vector<int>> LineProgram::append(const format::Program& program, std::span<const Shape> shapes,
                                             std::span<const int> inputs, const Capabilities& capabilities) {
  std::vector<int> tensor_of(program.values.size(), -1);
  for (size_t i = 0; i < inputs.size(); ++i) tensor_of[program.inputs[i]] = inputs[i];
  const std::vector<bool> live = live_operators(program);
  for (size_t i = 0; i < program.operators.size(); ++i) {
    if (!live[i]) continue;
    const format::Operator& op = program.operators[i];
    COCO_ASSIGN(auto bound, backends::make_row_op(program, i, shapes, capabilities));
    tensors.push_back(bound.result);
    LineOp line{std::move(bound.op), {}, static_cast<int>(tensors.size()) - 1};
    for (int position : bound.inputs) line.inputs.push_back(tensor_of[op.inputs[position]]);
    line.cost += static_cast<double>(format::count_macs(op, shapes)) /
                 static_cast<double>(std::max<int64_t>(shapes[op.outputs[0]].element_count().value_or(1), 1));
    tensor_of[op.outputs[0]] = line.output;
    ops.push_back(std::move(line));
  }
  std::vector<int> outputs;
  for (int32_t value : program.outputs) {
    if (tensor_of[value] < 0)
      return make_error(ErrorCode::kUnsupported,
                        "output '" + program.values[value].name + "' does not depend on the input picture");
    if (tensors[tensor_of[value]].type != DataType::kF32)
      return make_error(ErrorCode::kUnsupported,
                        "output '" + program.values[value].name + "' is not f32; rows of integers stay inside");
    outputs.push_back(tensor_of[value]);
  }
  macs += format::count_macs(program, shapes);
  return outputs;
}

Capabilities capabilities_for(const SessionOptions& options) {
  static const std::string target = active_target();
  return options.reference_kernels ? Capabilities{} : Capabilities{target};
}

}  // namespace coco::runtime
