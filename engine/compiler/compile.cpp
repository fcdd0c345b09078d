#include "coco/compile.h"

#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"
#include "compiler/check_weights.h"
#include "compiler/compile_program.h"
#include "compiler/emit.h"
#include "compiler/onnx/export.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/quantize.h"
#include "compiler/trace.h"

namespace coco {
namespace compiler {
namespace {

/// Output size / input size of an image-to-image network; 1 when there is no such whole number.
int measure_scale(const format::Program& program) {
  if (program.inputs.size() != 1 || program.outputs.size() != 1) return 1;
  Shape in = program.values[static_cast<size_t>(program.inputs[0])].shape;
  if (in.rank() != 4) return 1;
  static constexpr std::array<int64_t, 4> kTrial{1, 1, 96, 192};
  for (size_t i = 0; i < 4; ++i) {
    if (in[i] == kDynamicDim) in[i] = kTrial[i];
  }
  const auto shapes = format::resolve_shapes(program, std::span<const Shape>(&in, 1));
  if (!shapes.ok()) return 1;
  const Shape& out = (*shapes)[static_cast<size_t>(program.outputs[0])];
  if (out.rank() != 4 || in[2] < 1 || in[3] < 1) return 1;
  const int64_t scale = out[2] / in[2];
  const bool whole = scale >= 1 && scale <= 16 && out[2] == in[2] * scale && out[3] == in[3] * scale;
  return whole ? static_cast<int>(scale) : 1;
}

}  // namespace

Result<format::Program> compile_program(std::span<const uint8_t> onnx, const CompileOptions& options) {
  if (options.trace != nullptr) *options.trace = {};
  std::vector<PassEffect>* effects = options.trace != nullptr ? &options.trace->passes : nullptr;
  COCO_ASSIGN(graph::Graph graph, import_onnx(onnx, {options.input_shapes, options.folder, options.trace}));
  COCO_TRY(graph::verify(graph));
  COCO_TRY(check_weights(graph));
  if (options.trace != nullptr) options.trace->imported = count_operators(graph);
  if (options.optimize) COCO_TRY(run_passes(graph, effects));
  if (options.precision == Precision::kF16) COCO_TRY(run_pass({"halve_weights", halve_weights}, graph, effects));
  if (options.precision == Precision::kInt8 || options.precision == Precision::kAuto) {
    if (!options.optimize) {
      return make_error(ErrorCode::kInvalidArgument, "integer precision needs the optimising passes; leave them on");
    }
    if (options.order_channels) COCO_TRY(run_pass({"order_channels", order_channels}, graph, effects));
    QuantizeReport report;
    COCO_ASSIGN(graph, quantize(graph, options.precision, options.quantize, report));
    COCO_TRY(graph::verify(graph));
    if (options.report != nullptr) *options.report = std::move(report);
  }
  if (options.trace != nullptr) options.trace->program = count_operators(graph);
  COCO_ASSIGN(format::Program program, emit(std::move(graph), options.card));
  if (program.card.scale == 1) program.card.scale = measure_scale(program);
  return program;
}

}  // namespace compiler

Result<std::vector<uint8_t>> compile_onnx_bytes(std::span<const uint8_t> bytes, const CompileOptions& options) {
  COCO_ASSIGN(const format::Program program, compiler::compile_program(bytes, options));
  return format::write_program(program);
}

Result<std::vector<uint8_t>> compile_onnx_file(const std::string& path, const CompileOptions& options) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, format::Limits::kMaxFileBytes));
  CompileOptions here = options;
  if (here.folder.empty()) here.folder = std::filesystem::absolute(path).parent_path().string();
  auto result = compile_onnx_bytes(file->bytes(), here);
  if (!result.ok()) return make_error(result.error().code, path + ": " + result.error().message);
  return result;
}

Result<std::vector<uint8_t>> export_onnx_qdq(const Model& model) {
  const auto& operators = model.program().operators;
  const bool integers = std::any_of(operators.begin(), operators.end(), [](const format::Operator& op) {
    return op.kind() == format::OpKind::kQuantConv2d || op.kind() == format::OpKind::kQuantize;
  });
  if (!integers) {
    return make_error(ErrorCode::kUnsupported,
                      "the model has no integer operators; compile it with --precision int8 or auto first");
  }
  COCO_ASSIGN(const std::string bytes, compiler::export_onnx(model.program()));
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace coco
