// Operators on u8 activations between integer convolutions. Steps are chosen so that an engine that computes in f32
// gets the same bytes: what it adds and multiplies are integers below 2^24 times powers of two.
#include <cmath>

#include "compiler/onnx/program_exporter.h"

namespace coco::compiler {
namespace {

/// Powers of two whose weights are multiples of 1/128.
bool has_exact_weights(const format::ResizeParams& p) {
  bool exact = !p.scales.empty() && p.coordinates != format::CoordinateMode::kAlignCorners && !p.exclude_outside;
  for (const float scale : p.scales) {
    int exponent = 0;
    exact = exact && std::frexp(scale, &exponent) == 0.5f && exponent >= -5 && exponent <= 7;
  }
  return exact;
}

}  // namespace

std::string ProgramExporter::dequantize_linear(const std::string& in, float step, int64_t zero_point,
                                               const std::string& out) {
  const auto zero = static_cast<uint8_t>(zero_point);
  writer_.node("DequantizeLinear",
               {in, writer_.scalar(unique(out + ".step"), step),
                writer_.raw(unique(out + ".zero"), onnx::TensorProto::UINT8, {}, {&zero, 1})},
               out);
  return out;
}

// A table is a list to gather from.
Status ProgramExporter::write(const Operator& op, const format::LookupParams&) {
  COCO_ASSIGN(const std::string x, operand(op, 0));
  COCO_ASSIGN(const std::string table, operand(op, 1));
  const std::string indices = unique(result(op) + ".indices");
  set_int(writer_.node("Cast", {x}, indices), "to", onnx::TensorProto::INT64);
  set_int(writer_.node("Gather", {table, indices}, result(op), op.name), "axis", 0);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::QuantBinaryParams& p) {
  const bool product = p.kind == format::BinaryKind::kMul;
  int exponent = 0;
  const float mantissa = std::frexp(p.scale, &exponent);
  // Of a sum the scale is a power of two, of a product 8 bits times one.
  const bool fits = product ? mantissa * 256 == std::nearbyint(mantissa * 256) : mantissa == 0.5f;
  if (!(p.scale > 0) || !fits || (!product && (p.a_factor <= 0 || p.b_factor == 0))) {
    return unsupported(op, "its factors have no form in steps; compile the model anew with this version");
  }
  const auto part = [](float v, int bits) { return std::ldexp(v, bits); };
  const float a_step = product ? part(mantissa, -8) : part(static_cast<float>(p.a_factor), -15);
  const float b_step = product ? part(1, -8) : part(static_cast<float>(std::abs(p.b_factor)), -15);
  const float step = product ? part(1, -16 - exponent) : part(1, -15 - (exponent - 1));
  const std::string& out = result(op);
  COCO_ASSIGN(const std::string a, operand(op, 0));
  COCO_ASSIGN(const std::string b, operand(op, 1));
  const std::vector<std::string> in{dequantize_linear(a, a_step, p.a_zero_point, unique(out + ".a")),
                                    dequantize_linear(b, b_step, p.b_zero_point, unique(out + ".b"))};
  std::string last = unique(out + ".real");
  writer_.node(product ? "Mul" : p.b_factor < 0 ? "Sub" : "Add", in, last, op.name);
  if (p.low > 0 || p.high < 255) {
    const std::string whole = std::exchange(last, unique(out + ".clipped"));
    write_unary({format::UnaryKind::kClip, static_cast<float>(p.low - p.out_zero_point) * step,
                 static_cast<float>(p.high - p.out_zero_point) * step},
                whole, last);
  }
  quantize_linear(last, step, p.out_zero_point, out);
  return {};
}

Status ProgramExporter::write_steps(const Operator& op, const format::Pool2dParams& p) {
  COCO_ASSIGN(const std::string x, operand(op, 0));
  const std::string real = dequantize_linear(x, 1, 0, unique(result(op) + ".in")), mean = unique(result(op) + ".mean");
  onnx::NodeProto* node = writer_.node("AveragePool", {real}, mean, op.name);
  set_ints(node, "kernel_shape", p.kernel);
  set_ints(node, "pads", p.pads);
  set_ints(node, "strides", p.stride);
  set_int(node, "ceil_mode", p.ceil_mode ? 1 : 0);
  quantize_linear(mean, 1, 0, result(op));
  return {};
}

Status ProgramExporter::write_steps(const Operator& op, const format::ResizeParams& p) {
  if (!has_exact_weights(p)) return unsupported(op, "its weights are rounded to 1/128; only powers of two are exact");
  COCO_ASSIGN(const std::string x, operand(op, 0));
  const std::string real = dequantize_linear(x, 1, 0, unique(result(op) + ".in")), made = unique(result(op) + ".real");
  const std::string scales =
      writer_.floats(unique(made + ".scales"), {static_cast<int64_t>(p.scales.size())}, p.scales);
  onnx::NodeProto* node = writer_.node("Resize", {real, "", scales}, made, op.name);
  set_text(node, "mode", std::string(to_string(p.mode)));
  set_text(node, "coordinate_transformation_mode", std::string(to_string(p.coordinates)));
  quantize_linear(made, 1, 0, result(op));
  return {};
}

}  // namespace coco::compiler
