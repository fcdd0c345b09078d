#include "tune/report/layers.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "coco/compile.h"
#include "format/program.h"
#include "tune/qat/calibration.h"

namespace coco::tune {
namespace {

constexpr int kCrops = 16, kCropSide = 96;

size_t count_zeros(const format::Value& weight) {
  const auto bytes = weight.constant.bytes;
  if (weight.type == DataType::kS8) return static_cast<size_t>(std::count(bytes.begin(), bytes.end(), 0));
  size_t zeros = 0;
  for (size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + i, sizeof value);
    zeros += value == 0;
  }
  return zeros;
}

std::vector<LayerFacts> facts_of(const format::Program& program) {
  std::vector<LayerFacts> layers;
  for (const format::Operator& op : program.operators) {
    if (op.kind() != format::OpKind::kConv2d && op.kind() != format::OpKind::kQuantConv2d) continue;
    const format::Value& weight = program.values[static_cast<size_t>(op.inputs[1])];
    if (!weight.is_constant()) continue;
    layers.push_back({op.name, weight.constant.bytes.size() / byte_size(weight.type), count_zeros(weight), {}});
  }
  return layers;
}

void take_over(const QuantizeReport& report, ModelLayers& model) {
  for (LayerFacts& layer : model.layers) {
    const auto same = [&](const QuantizedLayer& q) { return q.name == layer.name && q.int8; };
    const auto found = std::find_if(report.layers.begin(), report.layers.end(), same);
    if (found != report.layers.end()) layer.snr_db = found->snr_db;
  }
  char text[160];
  std::snprintf(text, sizeof text,
                "Integers cost %.3f dB of PSNR on %zu crops held out of calibration; SNR of the output %.1f dB.",
                report.loss_db, report.held_out, report.snr_db);
  model.note = text;
}

}  // namespace

Result<ModelLayers> inspect_layers(const std::string& name, const std::string& onnx,
                                   const std::vector<ImagePair>& images) {
  ModelLayers model{name, {}, {}};
  COCO_ASSIGN(const auto bytes, compile_onnx_file(onnx, {}));
  COCO_ASSIGN(const format::Program program, format::read_program(bytes, nullptr));
  model.layers = facts_of(program);
  if (images.empty()) {
    model.note = "No pictures to calibrate integers on.";
    return model;
  }
  QuantizeReport report;
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.quantize.max_loss_db = 100;  // shown, not judged
  options.quantize.samples = calibration_samples(images, kCrops, kCropSide);
  options.report = &report;
  const auto integers = compile_onnx_file(onnx, options);
  if (integers.ok()) {
    take_over(report, model);
  } else {
    model.note = "No integers: " + integers.error().message;
  }
  return model;
}

}  // namespace coco::tune
