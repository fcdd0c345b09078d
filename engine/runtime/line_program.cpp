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
  ops.push_back({backends::make_source(bindings, tensor, capabilities), {}, number, 1, {}, bindings});
  ++bindings;
  return number;
}

void LineProgram::add_sink(int tensor, const Capabilities& capabilities) {
  ops.push_back({backends::make_sink(bindings, tensors[tensor], capabilities), {tensor}, -1, 1, {}, bindings});
  ++bindings;
}

void LineProgram::fuse_last_sink(const Capabilities& capabilities) {
  // The operator that makes a tensor nobody else reads.
  const auto sole_producer = [&](int tensor) {
    ptrdiff_t readers = 0;
    for (const LineOp& op : ops) readers += std::count(op.inputs.begin(), op.inputs.end(), tensor);
    const auto made = std::find_if(ops.begin(), ops.end(), [&](const LineOp& op) { return op.output == tensor; });
    return readers == 1 ? made : ops.end();
  };
  if (ops.empty() || ops.back().output >= 0 || ops.back().inputs.size() != 1) return;
  const auto sum = sole_producer(ops.back().inputs[0]);
  if (sum == ops.end() || sum->inputs.size() != 2 || tensors[sum->output].channels != 1) return;
  const auto* binary = std::get_if<format::BinaryParams>(&sum->params);
  if (binary == nullptr || binary->kind != format::BinaryKind::kAdd) return;
  for (const int side : {0, 1}) {
    const auto shuffle = sole_producer(sum->inputs[side]);
    const int base = sum->inputs[1 - side];
    const backends::RowTensor &stored = tensors[sum->output], &added = tensors[base];
    if (shuffle == ops.end() || added.channels != 1 || added.width != stored.width || added.height != stored.height)
      continue;
    const auto* params = std::get_if<format::DepthToSpaceParams>(&shuffle->params);
    if (params == nullptr || params->block != 2) continue;
    LineOp sink{backends::make_shuffled_sink(ops.back().binding, capabilities),
                {base, shuffle->inputs[0]},
                -1,
                1,
                {},
                ops.back().binding};
    std::vector<int> gone = {sum->output, shuffle->output};
    const auto last = sole_producer(shuffle->inputs[0]);
    if (auto whole = last != ops.end() ? last->op->into_shuffled_sink(sink.binding) : nullptr) {
      sink.op = std::move(whole);
      sink.inputs = {base, last->inputs[0]};
      sink.cost += last->cost;
      gone.push_back(last->output);
    }
    ops.pop_back();
    std::erase_if(ops, [&](const LineOp& op) { return std::find(gone.begin(), gone.end(), op.output) != gone.end(); });
    ops.push_back(std::move(sink));
    return;
  }
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
                                             std::span<const int> inputs, const Capabilities& capabilities, Ends ends) {
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
    const auto source = std::find_if(ops.begin(), ops.end(), [&](const LineOp& other) {
      return other.binding >= 0 && other.output >= 0 && !line.inputs.empty() && other.output == line.inputs[0];
    });
    if (source != ops.end()) line.op->input_is_bound(source->binding);
    line.params = op.params;
    line.number = static_cast<int>(i);
    line.kernel = bound.kernel;
    tensor_of[op.outputs[0]] = line.output;
    ops.push_back(std::move(line));
  }
  std::vector<int> outputs;
  for (int32_t value : program.outputs) {
    if (tensor_of[value] < 0)
      return make_error(ErrorCode::kUnsupported,
                        "output '" + program.values[value].name + "' does not depend on the input picture");
    if (tensors[tensor_of[value]].type != DataType::kF32 && ends == Ends::kF32)
      return make_error(ErrorCode::kUnsupported,
                        "output '" + program.values[value].name + "' is not f32; rows of integers stay inside");
    outputs.push_back(tensor_of[value]);
  }
  macs += format::count_macs(program, shapes);
  return outputs;
}

Capabilities capabilities_for(const SessionOptions& options) {
  static const std::string target = active_target();
  if (options.reference_kernels) return {};
  return {target, options.techniques.row_pairs, options.techniques.skip_zeros};
}

}  // namespace coco::runtime
