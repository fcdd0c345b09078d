// Operators that ONNX has as they are.
#include <algorithm>
#include <array>

#include "compiler/onnx/program_exporter.h"

namespace coco::compiler {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return result;
}

}  // namespace

// Functions that opset 13 lacks are written with those it has.
void ProgramExporter::write_unary(const format::UnaryParams& p, const std::string& in, const std::string& out) {
  using format::UnaryKind;
  const auto gate = [&](const char* op) {
    const std::string name = unique(out + ".gate");
    onnx::NodeProto* node = writer_.node(op, {in}, name);
    writer_.node("Mul", {in, name}, out);
    return node;
  };
  switch (p.kind) {
    case UnaryKind::kClip:
      writer_.node("Clip", {in, writer_.scalar(unique(out + ".min"), p.a), writer_.scalar(unique(out + ".max"), p.b)},
                   out);
      return;
    case UnaryKind::kSwish:
      gate("Sigmoid");
      return;
    case UnaryKind::kHardSwish: {
      onnx::NodeProto* node = gate("HardSigmoid");
      set_float(node, "alpha", 1.0f / 6.0f);
      set_float(node, "beta", 0.5f);
      return;
    }
    case UnaryKind::kGelu: {
      const std::string scaled = unique(out + ".scaled"), erf = unique(out + ".erf"), one = unique(out + ".raised");
      const std::string half = unique(out + ".half");
      writer_.node("Mul", {in, writer_.scalar(unique(out + ".root"), 0.70710678f)}, scaled);
      writer_.node("Erf", {scaled}, erf);
      writer_.node("Add", {erf, writer_.scalar(unique(out + ".one"), 1)}, one);
      writer_.node("Mul", {in, writer_.scalar(unique(out + ".factor"), 0.5f)}, half);
      writer_.node("Mul", {half, one}, out);
      return;
    }
    default:
      break;
  }
  static constexpr const char* kNames[] = {"Identity",
                                           "Relu",
                                           "LeakyRelu",
                                           "Clip",
                                           "Sigmoid",
                                           "Tanh",
                                           "HardSigmoid",
                                           "",
                                           "Elu",
                                           "Selu",
                                           "Softplus",
                                           "Softsign",
                                           "ThresholdedRelu",
                                           "",
                                           "",
                                           "Erf",
                                           "Exp",
                                           "Log",
                                           "Sqrt",
                                           "Reciprocal",
                                           "Neg",
                                           "Abs",
                                           "Sign",
                                           "Floor",
                                           "Ceil",
                                           "Round",
                                           "Sin",
                                           "Cos",
                                           "Tan",
                                           "Asin",
                                           "Acos",
                                           "Atan",
                                           "Sinh",
                                           "Cosh",
                                           "Asinh",
                                           "Acosh",
                                           "Atanh",
                                           "Not",
                                           "IsNaN",
                                           "IsInf"};
  onnx::NodeProto* node = writer_.node(kNames[static_cast<size_t>(p.kind)], {in}, out);
  switch (p.kind) {
    case UnaryKind::kHardSigmoid:
      set_float(node, "beta", p.b);
      [[fallthrough]];
    case UnaryKind::kLeakyRelu:
    case UnaryKind::kElu:
    case UnaryKind::kThresholdedRelu:
      set_float(node, "alpha", p.a);
      return;
    case UnaryKind::kSelu:
      set_float(node, "alpha", p.a);
      set_float(node, "gamma", p.b);
      return;
    case UnaryKind::kIsInf:
      set_int(node, "detect_negative", p.a != 0 ? 1 : 0);
      set_int(node, "detect_positive", p.b != 0 ? 1 : 0);
      return;
    default:
      return;
  }
}

Status ProgramExporter::write(const Operator& op, const format::Conv2dParams& p) {
  COCO_ASSIGN(std::vector<std::string> in, operands(op));
  const bool slope = in.size() > 3, active = p.activation != format::UnaryKind::kIdentity;
  const std::string conv = slope || active ? unique(result(op) + ".conv") : result(op);
  if (slope) in.pop_back();
  while (in.back().empty()) in.pop_back();
  set_window(writer_.node("Conv", in, conv), p);
  if (slope) {
    const std::vector<float> slopes = elements<float>(op.inputs[3]);
    if (slopes.empty()) return unsupported(op, "its slopes are computed while it runs");
    const std::string name =
        writer_.floats(unique(result(op) + ".slope"), {static_cast<int64_t>(slopes.size()), 1, 1}, slopes);
    writer_.node("PRelu", {conv, name}, result(op));
  } else if (active) {
    write_unary({p.activation, p.act_a, p.act_b}, conv, result(op));
  }
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ConvTranspose2dParams& p) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  onnx::NodeProto* node = writer_.node("ConvTranspose", in, result(op));
  set_window(node, p);
  set_ints(node, "output_padding", p.output_padding);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::UnaryParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  write_unary(p, in, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::PreluParams&) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  writer_.node("PRelu", in, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::BinaryParams& p) {
  static constexpr const char* kNames[] = {"Add", "Sub", "Mul",   "Div",  "Pow",         "Min",     "Max",
                                           "Mod", "Mod", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual",
                                           "And", "Or",  "Xor"};
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  onnx::NodeProto* node = writer_.node(kNames[static_cast<size_t>(p.kind)], in, result(op));
  if (p.kind == format::BinaryKind::kFmod) set_int(node, "fmod", 1);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ConcatParams& p) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  set_int(writer_.node("Concat", in, result(op)), "axis", p.axis);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::SliceParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  const std::string& out = result(op);
  writer_.node("Slice",
               {in, writer_.ints(unique(out + ".starts"), p.starts), writer_.ints(unique(out + ".ends"), p.ends),
                writer_.ints(unique(out + ".axes"), p.axes), writer_.ints(unique(out + ".steps"), p.steps)},
               out);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::PadParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  const std::string& out = result(op);
  if (value(op.inputs[0]).type != DataType::kF32) return unsupported(op, "it pads integers");
  set_text(writer_.node(
               "Pad",
               {in, writer_.ints(unique(out + ".pads"), p.pads), writer_.scalar(unique(out + ".value"), p.value)}, out),
           "mode", std::string(to_string(p.mode)));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ResizeParams& p) {
  if (p.mode == format::ResizeMode::kLinear && value(op.inputs[0]).type == DataType::kU8) return write_steps(op, p);
  COCO_ASSIGN(const std::string in, operand(op, 0));
  const std::string& out = result(op);
  const std::vector<std::string> inputs =
      p.scales.empty()
          ? std::vector<std::string>{in, "", "", writer_.ints(unique(out + ".sizes"), p.sizes)}
          : std::vector<std::string>{
                in, "", writer_.floats(unique(out + ".scales"), {static_cast<int64_t>(p.scales.size())}, p.scales)};
  onnx::NodeProto* node = writer_.node("Resize", inputs, out);
  set_text(node, "mode", std::string(to_string(p.mode)));
  set_text(node, "coordinate_transformation_mode", std::string(to_string(p.coordinates)));
  if (p.mode == format::ResizeMode::kNearest) set_text(node, "nearest_mode", std::string(to_string(p.nearest)));
  if (p.mode == format::ResizeMode::kCubic) set_float(node, "cubic_coeff_a", p.cubic_a);
  if (p.exclude_outside) set_int(node, "exclude_outside", 1);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::DepthToSpaceParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  onnx::NodeProto* node = writer_.node("DepthToSpace", {in}, result(op));
  set_int(node, "blocksize", p.block);
  set_text(node, "mode", upper(to_string(p.mode)));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::SpaceToDepthParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  set_int(writer_.node("SpaceToDepth", {in}, result(op)), "blocksize", p.block);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::TransposeParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  set_ints(writer_.node("Transpose", {in}, result(op)), "perm", p.perm);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ReshapeParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  const bool zeros = std::find(p.shape.begin(), p.shape.end(), 0) != p.shape.end();
  if (p.allow_zero && zeros) return unsupported(op, "opset 13 has no empty dimensions in Reshape");
  writer_.node("Reshape", {in, writer_.ints(unique(result(op) + ".shape"), p.shape)}, result(op));
  return {};
}

}  // namespace coco::compiler
