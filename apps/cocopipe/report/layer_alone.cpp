#include "apps/cocopipe/report/layer_alone.h"

#include <string>

namespace coco::cli {

const format::Value* LayerAlone::input(size_t slot) const {
  const auto& inputs = op().inputs;
  return slot < inputs.size() && inputs[slot] != format::kNoValue ? &value(inputs[slot]) : nullptr;
}

int32_t LayerAlone::add_value(DataType type, const Shape& shape) {
  program.values.push_back({"v" + std::to_string(program.values.size()), type, shape, {}});
  return static_cast<int32_t>(program.values.size()) - 1;
}

bool LayerAlone::append(format::OpParams params, std::vector<int32_t> inputs) {
  std::vector<std::optional<Shape>> given;
  for (const int32_t number : inputs) {
    given.push_back(number == format::kNoValue ? std::nullopt : std::optional<Shape>(value(number).shape));
  }
  const auto inferred = format::infer_shapes(params, given);
  if (!inferred.ok() || inferred->size() != 1) return false;
  const int32_t result = add_value(DataType::kF32, (*inferred)[0]);
  program.operators.push_back(
      {"op" + std::to_string(program.operators.size()), std::move(params), std::move(inputs), {result}});
  program.outputs = {result};
  return true;
}

namespace {

/// The value that stands for a computed input: an input of the program, or integers made from one.
std::optional<int32_t> stand_in(const format::Operator& op, const format::Value& value, const Shape& shape,
                                LayerAlone& alone) {
  const auto* conv = std::get_if<format::QuantConv2dParams>(&op.params);
  if (value.type != DataType::kF32 && (conv == nullptr || value.type != DataType::kU8)) return std::nullopt;
  const int32_t number = alone.add_value(DataType::kF32, shape);
  alone.program.inputs.push_back(number);
  alone.shapes.push_back(shape);
  if (value.type == DataType::kF32) return number;
  const int32_t steps = alone.add_value(DataType::kU8, shape);
  alone.program.operators.push_back(
      {"steps", format::QuantizeParams{255, conv->in_zero_point}, std::vector<int32_t>{number}, {steps}});
  return steps;
}

}  // namespace

std::optional<LayerAlone> layer_alone(const format::Program& program, size_t index, std::span<const Shape> shapes) {
  const format::Operator& op = program.operators[index];
  LayerAlone alone;
  format::Operator copy{op.name, op.params, {}, {}};
  std::vector<std::pair<int32_t, int32_t>> known;
  for (const int32_t number : op.inputs) {
    if (number == format::kNoValue) {
      copy.inputs.push_back(number);
      continue;
    }
    const auto n = static_cast<size_t>(number);
    const format::Value& value = program.values[n];
    int32_t mine = format::kNoValue;
    for (const auto& [from, to] : known) {
      if (from == number) mine = to;
    }
    if (mine == format::kNoValue && value.is_constant()) {
      mine = alone.add_value(value.type, value.shape);
      alone.value(mine).constant = value.constant;
    } else if (mine == format::kNoValue) {
      const auto made = stand_in(op, value, shapes[n], alone);
      if (!made) return std::nullopt;
      mine = *made;
    }
    known.emplace_back(number, mine);
    copy.inputs.push_back(mine);
  }
  if (op.outputs.size() != 1 || alone.program.inputs.empty()) return std::nullopt;
  if (auto* conv = std::get_if<format::QuantConv2dParams>(&copy.params)) conv->dequantize = true;
  const auto result = static_cast<size_t>(op.outputs[0]);
  const bool integers = std::holds_alternative<format::QuantConv2dParams>(op.params);
  if (!integers && program.values[result].type != DataType::kF32) return std::nullopt;
  copy.outputs = {alone.add_value(DataType::kF32, shapes[result])};
  alone.program.outputs = copy.outputs;
  alone.first = alone.program.operators.size();
  alone.program.operators.push_back(std::move(copy));
  return alone;
}

}  // namespace coco::cli
