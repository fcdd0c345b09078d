// Integer operators as QuantizeLinear and DequantizeLinear. What the steps of values between convolutions stand for is
// free; they are a power of two, so that a sum's unit divided by it is the convolution's scale to the last bit.
#include <algorithm>
#include <cmath>

#include "compiler/onnx/program_exporter.h"
#include "compiler/quantize/reciprocal.h"

namespace coco::compiler {
namespace {

constexpr float kStep = 1.0f / 256;

std::string channel(size_t m) { return "of channel " + std::to_string(m); }

/// The slope that serves all channels; nullopt when there is none.
std::optional<float> common_slope(const std::vector<float>& scale, const std::vector<float>& negative) {
  const auto slope = slope_between(scale[0], negative[0]);
  if (!slope) return std::nullopt;
  for (float s : {*slope, std::nextafter(*slope, -HUGE_VALF), std::nextafter(*slope, HUGE_VALF)}) {
    bool all = true;
    for (size_t m = 0; all && m < scale.size(); ++m) {
      all = static_cast<float>(static_cast<double>(scale[m]) * static_cast<double>(s)) == negative[m];
    }
    if (all) return s;
  }
  return std::nullopt;
}

}  // namespace

float ProgramExporter::step_of(int32_t number) const {
  const auto it = steps_.find(number);
  return it != steps_.end() ? it->second : kStep;
}

void ProgramExporter::quantize_linear(const std::string& in, float step, int64_t zero_point, const std::string& out) {
  const auto zero = static_cast<uint8_t>(zero_point);
  writer_.node("QuantizeLinear",
               {in, writer_.scalar(unique(out + ".step"), step),
                writer_.raw(unique(out + ".zero"), onnx::TensorProto::UINT8, {}, {&zero, 1})},
               out, out + ".quantize");
}

std::string ProgramExporter::dequantized(int32_t number, int64_t zero_point) {
  std::string& name = dequantized_[{number, zero_point}];
  if (!name.empty()) return name;
  const std::string& steps = names_[static_cast<size_t>(number)];
  name = unique(steps + ".real");
  const auto zero = static_cast<uint8_t>(zero_point);
  writer_.node("DequantizeLinear",
               {steps, writer_.scalar(unique(name + ".step"), step_of(number)),
                writer_.raw(unique(name + ".zero"), onnx::TensorProto::UINT8, {}, {&zero, 1})},
               name);
  return name;
}

Status ProgramExporter::write(const Operator& op, const format::QuantizeParams& p) {
  const auto step = step_of_multiplier(p.multiplier);
  if (!step) {
    return unsupported(op, "its multiplier " + std::to_string(p.multiplier) +
                               " is no reciprocal of an f32; compile the model anew with this version");
  }
  COCO_ASSIGN(const std::string in, operand(op, 0));
  steps_[op.outputs[0]] = *step;
  quantize_linear(in, *step, p.zero_point, result(op));
  return {};
}

/// The activation in the signs of the sums; `last` becomes what it makes, `out` or an own name where more follows.
Status ProgramExporter::write_activation(const Operator& op, std::string& last, const std::string& out) {
  const std::vector<float> scale = elements<float>(op.inputs[3]), negative = elements<float>(op.inputs[4]);
  if (negative == scale) return {};
  const std::string in = std::exchange(last, out);
  if (std::all_of(negative.begin(), negative.end(), [](float n) { return n == 0; })) {
    writer_.node("Relu", {in}, out);
  } else if (const auto slope = common_slope(scale, negative)) {
    set_float(writer_.node("LeakyRelu", {in}, out), "alpha", *slope);
  } else {
    std::vector<float> slopes;
    for (size_t m = 0; m < scale.size(); ++m) {
      const auto own = slope_between(scale[m], negative[m]);
      if (!own) {
        return unsupported(op, "the slope " + channel(m) + " is no f32; compile the model anew with this version");
      }
      slopes.push_back(*own);
    }
    const std::string name =
        writer_.floats(unique(out + ".slope"), {static_cast<int64_t>(slopes.size()), 1, 1}, slopes);
    writer_.node("PRelu", {in, name}, out);
  }
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::QuantConv2dParams& p) {
  const std::string& out = result(op);
  const auto channels = value(op.inputs[1]).shape[0];
  std::vector<float> unit = elements<float>(op.inputs[3]), weight_step;
  for (size_t m = 0; m < unit.size(); ++m) {
    unit[m] *= p.dequantize ? 1.0f : kStep;
    weight_step.push_back(
        static_cast<float>(static_cast<double>(unit[m]) / static_cast<double>(step_of(op.inputs[0]))));
    if (!(unit[m] > 0) || !std::isnormal(unit[m]) || !std::isnormal(weight_step[m])) {
      return unsupported(op, "the scale " + channel(m) + " is no positive number");
    }
  }
  COCO_ASSIGN(const std::string weight, operand(op, 1));
  COCO_ASSIGN(const std::string bias, operand(op, 2));
  const std::string x = dequantized(op.inputs[0], p.in_zero_point);
  const std::vector<uint8_t> zeros(unit.size());
  const std::string real_weight = unique(out + ".weight"), real_bias = unique(out + ".bias");
  set_int(writer_.node("DequantizeLinear",
                       {weight, writer_.floats(unique(out + ".weight_step"), {channels}, weight_step),
                        writer_.raw(unique(out + ".weight_zero"), onnx::TensorProto::INT8, {channels}, zeros)},
                       real_weight),
          "axis", 0);
  set_int(
      writer_.node("DequantizeLinear", {bias, writer_.floats(unique(out + ".bias_step"), {channels}, unit)}, real_bias),
      "axis", 0);

  const bool active = op.inputs.size() > 4 && op.inputs[4] != format::kNoValue &&
                      elements<float>(op.inputs[4]) != elements<float>(op.inputs[3]);
  const bool clipped = p.low > 0 || p.high < 255;
  std::string last = p.dequantize && !active ? out : unique(out + ".conv");
  set_window(writer_.node("Conv", {x, real_weight, real_bias}, last, op.name), p);
  if (active) COCO_TRY(write_activation(op, last, p.dequantize ? out : unique(out + ".active")));
  if (p.dequantize) return {};
  if (clipped) {
    const std::string in = std::exchange(last, unique(out + ".clipped"));
    write_unary({format::UnaryKind::kClip, static_cast<float>(p.low - p.out_zero_point) * kStep,
                 static_cast<float>(p.high - p.out_zero_point) * kStep},
                in, last);
  }
  quantize_linear(last, kStep, p.out_zero_point, out);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::DequantizeParams& p) {
  COCO_ASSIGN(const std::string x, operand(op, 0));
  const DataType type = value(op.inputs[0]).type;
  std::vector<float> scale = elements<float>(op.inputs[1]);
  std::vector<int32_t> zero(1);
  if (op.inputs.size() > 2 && op.inputs[2] != format::kNoValue) zero = elements<int32_t>(op.inputs[2]);
  if (scale.empty() || zero.empty()) return unsupported(op, "its scale or zero point is computed while it runs");
  const size_t count = std::max(scale.size(), zero.size());
  scale.resize(count, scale[0]);
  zero.resize(count, zero[0]);
  const std::vector<int64_t> shape = count == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{int64_t(count)};
  std::vector<std::string> in{x, writer_.floats(unique(result(op) + ".step"), shape, scale)};
  if (std::any_of(zero.begin(), zero.end(), [](int32_t z) { return z != 0; })) {
    const int low = type == DataType::kS8 ? -128 : 0;
    std::vector<uint8_t> bytes;
    for (int32_t z : zero) {
      if (type == DataType::kS32 || z < low || z > low + 255) return unsupported(op, "its zero point is out of range");
      bytes.push_back(static_cast<uint8_t>(z));
    }
    in.push_back(writer_.raw(unique(result(op) + ".zero"),
                             type == DataType::kS8 ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8, shape, bytes));
  }
  onnx::NodeProto* node = writer_.node("DequantizeLinear", in, result(op));
  if (count > 1) set_int(node, "axis", p.axis);
  return {};
}

}  // namespace coco::compiler
