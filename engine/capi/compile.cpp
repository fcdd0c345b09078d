// Compiling ONNX models.
#include "coco/compile.h"

#include <cmath>
#include <string>
#include <utility>

#include "base/file.h"
#include "capi/enums.h"
#include "capi/handles.h"
#include "capi/structs.h"

namespace coco::capi {
namespace {

Error wrong(const std::string& text) {
  return make_error(ErrorCode::kInvalidArgument, "coco_compile_options: " + text);
}

/// `name` in a message, with the number of the sample and of its tensor.
Result<FloatTensor> tensor_of(const coco_float_tensor& given, const std::string& name) {
  if (given.data == nullptr) return wrong(name + " has no data (NULL)");
  FloatTensor tensor;
  COCO_ASSIGN(tensor.shape, shape_of(given.shape, name));
  const std::optional<int64_t> elements = tensor.shape.element_count();
  if (!tensor.shape.is_static() || !elements)
    return wrong(name + " has the shape " + tensor.shape.to_string() + "; every dimension must be given");
  tensor.data.assign(given.data, given.data + *elements);
  return tensor;
}

Result<CalibrationSample> sample_of(const coco_calibration_sample& given, const std::string& name) {
  if (given.inputs == nullptr && given.input_count > 0) return wrong(name + " has no inputs (NULL)");
  CalibrationSample sample;
  for (size_t i = 0; i < given.input_count; ++i) {
    COCO_ASSIGN(FloatTensor tensor, tensor_of(given.inputs[i], "input " + std::to_string(i) + " of " + name));
    sample.inputs.push_back(std::move(tensor));
  }
  if (given.target != nullptr) {
    COCO_ASSIGN(sample.target, tensor_of(*given.target, "the target of " + name));
  }
  return sample;
}

/// 0 keeps the default in `result`.
Status number_of(double given, double least, double most, const char* name, double& result) {
  if (given == 0) return {};
  if (!(given >= least && given <= most)) {
    return wrong(std::string(name) + " is " + std::to_string(given) + "; it must be 0 or from " +
                 std::to_string(least) + " to " + std::to_string(most));
  }
  result = given;
  return {};
}

Status read_quantize_options(const coco_compile_options& given, QuantizeOptions& result) {
  constexpr double kMaxDb = 1000;
  COCO_TRY(from_c(given.calibration, result.method));
  COCO_TRY(number_of(given.percentile, 50, 100, "percentile", result.percentile));
  COCO_TRY(number_of(given.max_loss_db, 0, kMaxDb, "max_loss_db", result.max_loss_db));
  COCO_TRY(number_of(given.min_snr_db, -kMaxDb, kMaxDb, "min_snr_db", result.min_snr_db));
  if (given.samples == nullptr && given.sample_count > 0) return wrong("samples is NULL");
  for (size_t i = 0; i < given.sample_count; ++i) {
    COCO_ASSIGN(CalibrationSample sample, sample_of(given.samples[i], "sample " + std::to_string(i)));
    result.samples.push_back(std::move(sample));
  }
  return {};
}

/// Defaults for NULL.
Result<CompileOptions> options_of(const coco_compile_options* options) {
  CompileOptions result;
  if (options == nullptr) return result;
  COCO_ASSIGN(const coco_compile_options given, read_struct(options, "coco_compile_options"));
  COCO_TRY(from_c(given.precision, result.precision));
  COCO_TRY(read_quantize_options(given, result.quantize));
  if (given.input_shapes == nullptr && given.input_shape_count > 0) return wrong("input_shapes is NULL");
  for (size_t i = 0; i < given.input_shape_count; ++i) {
    const coco_input_shape& pinned = given.input_shapes[i];
    const std::string name = "input shape " + std::to_string(i);
    if (pinned.input == nullptr) return wrong(name + " names no input (NULL)");
    COCO_ASSIGN(Shape shape, shape_of(pinned.shape, name));
    result.input_shapes.emplace_back(pinned.input, std::move(shape));
  }
  if (given.folder != nullptr) result.folder = given.folder;
  result.optimize = given.keep_graph == 0;
  result.order_channels = given.keep_channels == 0;
  return result;
}

coco_compile_report report_of(const QuantizeReport& report) {
  coco_compile_report values{};
  values.layers = report.layers.size();
  for (const QuantizedLayer& layer : report.layers) values.integer_layers += layer.int8 ? 1 : 0;
  values.samples = report.samples;
  values.held_out = report.held_out;
  values.snr_db = report.snr_db;
  values.cosine = report.cosine;
  values.has_targets = report.has_targets ? 1 : 0;
  values.loss_db = report.has_targets ? report.loss_db : 0;
  return values;
}

/// `compile` goes from options to the bytes of a .coco file. A report that could not be written fails before anything
/// else is done.
template <typename Compile>
Result<std::vector<uint8_t>> compile_with(const coco_compile_options* options, coco_compile_report* report,
                                          Compile&& compile) {
  if (report != nullptr) COCO_TRY(write_struct(report, coco_compile_report{}, "coco_compile_report"));
  COCO_ASSIGN(CompileOptions wanted, options_of(options));
  QuantizeReport quantized;
  wanted.report = &quantized;
  COCO_ASSIGN(std::vector<uint8_t> bytes, compile(wanted));
  if (report != nullptr) COCO_TRY(write_struct(report, report_of(quantized), "coco_compile_report"));
  return bytes;
}

Status compile_file(const char* onnx_path, const char* coco_path, const coco_compile_options* options,
                    coco_compile_report* report) {
  COCO_TRY(require(onnx_path, "onnx_path"));
  COCO_TRY(require(coco_path, "coco_path"));
  const auto compile = [&](const CompileOptions& wanted) { return compile_onnx_file(onnx_path, wanted); };
  COCO_ASSIGN(const std::vector<uint8_t> bytes, compile_with(options, report, compile));
  return write_file_atomically(coco_path, bytes);
}

}  // namespace
}  // namespace coco::capi

using namespace coco;
using namespace coco::capi;

coco_error coco_compile_file(const char* onnx_path, const char* coco_path) {
  return call([&] { return compile_file(onnx_path, coco_path, nullptr, nullptr); });
}

coco_error coco_compile_file_with(const char* onnx_path, const char* coco_path, const coco_compile_options* options,
                                  coco_compile_report* report) {
  return call([&] { return compile_file(onnx_path, coco_path, options, report); });
}

coco_error coco_model_compile(const void* data, size_t bytes, const coco_compile_options* options, coco_model** model,
                              coco_compile_report* report) {
  return make(model, [&]() -> Result<coco_model*> {
    COCO_TRY(require(data, "data"));
    const std::span file(static_cast<const uint8_t*>(data), bytes);
    const auto compile = [&](const CompileOptions& wanted) { return compile_onnx_bytes(file, wanted); };
    COCO_ASSIGN(const std::vector<uint8_t> compiled, compile_with(options, report, compile));
    COCO_ASSIGN(std::shared_ptr<const Model> loaded, Model::from_bytes(compiled));
    return new coco_model{std::move(loaded)};
  });
}
