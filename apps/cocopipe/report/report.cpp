#include "apps/cocopipe/report/report.h"

#include <algorithm>

#include "compiler/quantize/forms.h"

namespace coco::cli {
namespace {

bool is_integer(const format::Program& program, const format::Operator& op) {
  if (op.kind() == format::OpKind::kQuantConv2d || op.kind() == format::OpKind::kQuantize) return true;
  return std::any_of(op.inputs.begin(), op.inputs.end(), [&](int32_t number) {
    return number != format::kNoValue && program.values[static_cast<size_t>(number)].type == DataType::kU8;
  });
}

std::vector<OperatorPrecision> precisions(const format::Program& program, const QuantizeReport& quantized) {
  std::vector<OperatorPrecision> list;
  for (const format::Operator& op : program.operators) {
    OperatorPrecision& entry = list.emplace_back();
    entry.name = op.name;
    entry.op = to_string(op.kind());
    entry.integer = is_integer(program, op);
    const bool conv = op.kind() == format::OpKind::kConv2d || op.kind() == format::OpKind::kQuantConv2d;
    const auto layer = std::find_if(quantized.layers.begin(), quantized.layers.end(),
                                    [&](const QuantizedLayer& l) { return conv && l.name == op.name; });
    if (layer != quantized.layers.end()) {
      entry.snr_db = layer->snr_db;
      if (!entry.integer) entry.reason = layer->reason;
    }
    if (entry.integer || quantized.layers.empty() || !entry.reason.empty()) continue;
    entry.reason = compiler::has_integer_form(op.kind())
                       ? "it does not stand between integer convolutions, or not in a form that integers have"
                       : "the quantiser has no integer form of " + entry.op;
  }
  return list;
}

size_t bytes_of(const TensorInfo& info, const Shape& shape) {
  return static_cast<size_t>(shape.element_count().value_or(0)) * byte_size(info.type);
}

void measure_into(const std::shared_ptr<const Model>& model, std::span<const Shape> shapes,
                  const ReportOptions& options, Report& report) {
  auto measured = measure(model, shapes, options.session, options.seconds, true);
  if (!measured.ok()) {
    report.not_measured = measured.error().message;
    return;
  }
  report.measured = std::move(*measured);
  const auto resolved = format::resolve_shapes(model->program(), shapes);
  if (!resolved.ok()) return;
  for (size_t i = 0; i < shapes.size(); ++i) report.tensor_bytes += bytes_of(model->inputs()[i], shapes[i]);
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    const auto number = static_cast<size_t>(model->program().outputs[i]);
    report.tensor_bytes += bytes_of(model->outputs()[i], (*resolved)[number]);
  }
  FloatReasons reasons;
  for (const OperatorPrecision& op : report.operators) {
    if (!op.reason.empty()) reasons.emplace(op.name, op.reason);
  }
  report.advice = find_advice(model->program(), *resolved, report.measured->operators, options.session, reasons);
}

}  // namespace

Report make_report(const std::shared_ptr<const Model>& model, const Result<std::shared_ptr<const Model>>& f32,
                   CompileTrace trace, const QuantizeReport& quantized, const std::vector<CalibrationSample>& samples,
                   size_t file_bytes, const ReportOptions& options) {
  Report report;
  report.trace = std::move(trace);
  report.operators = precisions(model->program(), quantized);
  report.weights = format::weight_sizes(model->program());
  report.file_bytes = file_bytes;
  for (const format::Value& value : model->program().values) report.constant_bytes += value.constant.bytes.size();
  const std::vector<Shape> shapes = shapes_at(*model, options.size);
  for (size_t i = 0; i < shapes.size(); ++i) report.inputs.emplace_back(model->inputs()[i].name, shapes[i]);
  if (!options.measure) {
    report.not_measured = report.not_compared = "left out";
    return report;
  }
  measure_into(model, shapes, options, report);
  if (!f32.ok()) {
    report.not_compared = f32.error().message;
    return report;
  }
  auto accuracy = compare_models(*f32, model, samples, shapes, options.session);
  if (accuracy.ok()) {
    report.accuracy = std::move(*accuracy);
  } else {
    report.not_compared = accuracy.error().message;
  }
  return report;
}

}  // namespace coco::cli
