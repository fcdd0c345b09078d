#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "apps/cocopipe/calibration.h"
#include "apps/cocopipe/command.h"
#include "apps/cocopipe/model_card.h"
#include "apps/cocopipe/report/report.h"
#include "base/file.h"
#include "coco/compile.h"
#include "format/program.h"
#include "format/weight_sizes.h"

namespace coco::cli {
namespace {

struct Options {
  std::string input, output, card_file;
  CompileOptions compile;
  ModelCard given;  ///< from the command line, over the card file
  int scale = 0;
  std::vector<std::string> shapes;
  std::string calibration;  ///< folder
  float white = 1;
  bool no_optimize = false, quiet = false;
  CompileTrace trace;
  QuantizeReport quantized;
  ReportOptions report;
  std::string report_file;
};

void overlay(const ModelCard& given, ModelCard& card) {
  for (std::string ModelCard::*member :
       {&ModelCard::name, &ModelCard::task, &ModelCard::description, &ModelCard::licence, &ModelCard::training_data,
        &ModelCard::command, &ModelCard::range}) {
    if (!(given.*member).empty()) card.*member = given.*member;
  }
}

/// Output height over input height of a one-input, one-output image network; 0 when it is none.
int measured_scale(const Model& model) {
  constexpr int64_t kProbe = 64;
  if (model.inputs().size() != 1 || model.outputs().size() != 1 || model.inputs()[0].shape.rank() != 4) return 0;
  Shape probe = model.inputs()[0].shape;
  for (size_t i = 0; i < 4; ++i) {
    if (probe[i] == kDynamicDim) probe[i] = i < 2 ? 1 : kProbe;
  }
  const auto shapes = format::resolve_shapes(model.program(), std::span(&probe, 1));
  if (!shapes.ok()) return 0;
  const Shape& out = shapes.value()[static_cast<size_t>(model.program().outputs[0])];
  if (out.rank() != 4 || probe[2] == 0 || probe[3] == 0) return 0;
  const int64_t scale = out[2] / probe[2];
  const bool exact = scale >= 1 && scale <= 16 && out[2] == probe[2] * scale && out[3] == probe[3] * scale;
  return exact ? static_cast<int>(scale) : 0;
}

/// A card's measurements are the f32 model's: they say so in the integer model's card.
void mark_figures(const QuantizeReport& report, ModelCard& card) {
  for (auto& [name, value] : card.figures) {
    const bool quality = name.find("psnr") != std::string::npos || name.find("ssim") != std::string::npos;
    if (quality) name = "f32_" + name;
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", report.has_targets ? report.loss_db : report.snr_db);
  card.figures.emplace_back(report.has_targets ? "calibration_loss_db" : "calibration_snr_db", text);
}

void print_report(const QuantizeReport& report, size_t bytes_f32, size_t bytes) {
  size_t width = 5;
  for (const QuantizedLayer& layer : report.layers) width = std::max(width, layer.name.size());
  std::printf("%-*s  weights   SNR dB  f32 bytes  entry list  8-bit CSR\n", static_cast<int>(width), "layer");
  for (const QuantizedLayer& layer : report.layers) {
    std::printf("%-*s  %-7s  %7.2f  %9zu", static_cast<int>(width), layer.name.c_str(), layer.int8 ? "int8" : "f32",
                layer.snr_db, layer.bytes_f32);
    if (layer.int8 && layer.bytes_f32 > 0) std::printf("  %10zu  %9zu", layer.bytes_entries, layer.bytes_csr);
    std::printf("%s\n", layer.reason.empty() ? "" : ("  " + layer.reason).c_str());
  }
  const auto in_f32 = std::count_if(report.layers.begin(), report.layers.end(), [](const auto& l) { return !l.int8; });
  if (in_f32 > 0) {
    std::printf("%zu of them stay in f32: last bits of results may differ between instruction sets\n",
                static_cast<size_t>(in_f32));
  }
  const std::string judged =
      report.held_out > 0 ? std::to_string(report.held_out) + " samples held out of " + std::to_string(report.samples)
                          : std::to_string(report.samples) + " samples it was calibrated on";
  std::printf("output against f32: SNR %.2f dB, cosine %.5f, PSNR %.2f dB, over %s\n", report.snr_db, report.cosine,
              report.psnr_db, judged.c_str());
  if (report.has_targets) {
    std::printf("quality: f32 %.3f dB, this model %.3f dB, lost %.3f dB\n", report.psnr_f32_db, report.psnr_int8_db,
                report.loss_db);
  }
  std::printf("file: %zu bytes in f32, %zu bytes now\n", bytes_f32, bytes);
}

/// Compiles again in integers, calibrated for the f32 model.
Status quantize(Options& options, std::vector<uint8_t>& bytes, std::shared_ptr<const Model>& model) {
  CompileOptions& compile = options.compile;
  if (options.calibration.empty() && !options.quiet) {
    print_note("no --calibrate folder: calibrating on the built-in clip; pictures like yours may serve better");
  }
  COCO_ASSIGN(compile.quantize.samples,
              calibration_samples(options.calibration, *model, model->card().scale, options.white));
  QuantizeReport& report = options.quantized;
  compile.report = &report;
  const size_t bytes_f32 = bytes.size();
  COCO_ASSIGN(bytes, compile_onnx_file(options.input, compile));
  COCO_ASSIGN(format::Program program, format::read_program(bytes, nullptr));
  mark_figures(report, program.card);
  COCO_ASSIGN(bytes, format::write_program(program));
  COCO_ASSIGN(model, Model::from_bytes(bytes));
  if (!options.quiet) print_report(report, bytes_f32, bytes.size());
  return {};
}

/// The report, to the screen and to a file where one is asked for.
Status report_on(const Options& options, const std::shared_ptr<const Model>& model, size_t bytes) {
  if (options.quiet && options.report_file.empty()) return {};
  const Report report = make_report(model, imported_model(options.input, options.compile.input_shapes), options.trace,
                                    options.quantized, options.compile.quantize.samples, bytes, options.report);
  if (!options.quiet) std::printf("%s", to_text(report).c_str());
  if (options.report_file.empty()) return {};
  const std::string json = to_json(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return write_file_atomically(options.report_file, {reinterpret_cast<const uint8_t*>(json.data()), json.size()});
}

Result<int> compile(Options& options) {
  if (!options.card_file.empty()) COCO_TRY(read_card(options.card_file, options.compile.card));
  overlay(options.given, options.compile.card);
  if (options.scale > 0) options.compile.card.scale = options.scale;
  for (const std::string& shape : options.shapes) {
    COCO_ASSIGN(options.compile.input_shapes.emplace_back(), read_input_shape(shape));
  }
  options.compile.optimize = !options.no_optimize;
  options.compile.trace = &options.trace;
  const Precision precision = std::exchange(options.compile.precision, Precision::kF32);
  COCO_ASSIGN(std::vector<uint8_t> bytes, compile_onnx_file(options.input, options.compile));
  COCO_ASSIGN(std::shared_ptr<const Model> model, Model::from_bytes(bytes));
  const int measured = measured_scale(*model);
  const bool stated = options.scale > 0 || !options.card_file.empty();
  if (!stated && measured > 1) {
    options.compile.card.scale = measured;
    COCO_ASSIGN(bytes, compile_onnx_file(options.input, options.compile));
    COCO_ASSIGN(model, Model::from_bytes(bytes));
  } else if (measured > 0 && measured != model->card().scale) {
    return make_error(ErrorCode::kInvalidArgument, "the card says scale " + std::to_string(model->card().scale) +
                                                       " but the network scales by " + std::to_string(measured) +
                                                       "; correct --scale or the card");
  }
  options.compile.precision = precision;
  if (precision == Precision::kF16) {
    COCO_ASSIGN(bytes, compile_onnx_file(options.input, options.compile));
    COCO_ASSIGN(model, Model::from_bytes(bytes));
  } else if (precision != Precision::kF32) {
    COCO_TRY(quantize(options, bytes, model));
  }
  COCO_TRY(write_file_atomically(options.output, bytes));
  COCO_TRY(report_on(options, model, bytes.size()));
  if (!options.quiet) {
    std::printf("weights: %s\n", format::to_text(format::weight_sizes(model->program())).c_str());
    std::printf("%s: %zu bytes, %zu operators, scale %d, sha256 %s\n", options.output.c_str(), bytes.size(),
                model->program().operators.size(), model->card().scale, model->sha256().c_str());
  }
  return static_cast<int>(kOk);
}

void add_quantization(CLI::App& command, Options& options) {
  static const std::map<std::string, Precision> kPrecisions{
      {"f32", Precision::kF32}, {"f16", Precision::kF16}, {"int8", Precision::kInt8}, {"auto", Precision::kAuto}};
  static const std::map<std::string, CalibrationMethod> kMethods{{"mse", CalibrationMethod::kMse},
                                                                 {"percentile", CalibrationMethod::kPercentile},
                                                                 {"minmax", CalibrationMethod::kMinMax}};
  QuantizeOptions& quantize = options.compile.quantize;
  command
      .add_option("--precision", options.compile.precision,
                  "f32; f16: weights stored in half the bytes, computed in f32; int8: every convolution that can be is "
                  "integer; auto: int8 but for the layers that lose most")
      ->transform(CLI::CheckedTransformer(kPrecisions));
  command.add_option("--calibrate", options.calibration,
                     "folder of .png and .jpg pictures like those to come; the built-in clip when left out");
  command
      .add_option("--white", options.white,
                  "what white is in the model's input: 1 (default), or 255 for many detectors")
      ->check(CLI::Range(1e-3, 1e6));
  command
      .add_option("--calibration-method", quantize.method,
                  "how ranges are chosen: mse (least squared error), percentile or minmax; default mse")
      ->transform(CLI::CheckedTransformer(kMethods));
  command
      .add_option("--max-loss", quantize.max_loss_db,
                  "upscalers: PSNR in dB that integers may cost on the calibration pictures; default 0.3")
      ->check(CLI::Range(0.0, 100.0));
  command
      .add_option("--min-snr", quantize.min_snr_db,
                  "other models: dB the f32 result must stand above the integers' error; default 25")
      ->check(CLI::Range(0.0, 200.0));
}

void add_report(CLI::App& command, Options& options) {
  command.add_option("--report", options.report_file, "write the report as JSON to this file, too");
  command.add_flag("!--no-measure", options.report.measure,
                   "a report without times, accuracy and advice, which need the network to run");
  add_size(command, "--input-size", options.report.size, "size taken for dynamic sides in the report; default 640x360");
  add_threads(command, options.report.session);
}

}  // namespace

void add_compile(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compile", "compile an ONNX model to a .coco file");
  command->add_option("model", options->input, "ONNX file")->required();
  command->add_option("-o,--output", options->output, "the .coco file to write")->required();
  command->add_option("--card", options->card_file, "JSON file with the model card's fields");
  command->add_option("--name", options->given.name, "card: short name");
  command->add_option("--task", options->given.task, "card: what it does, for example super-resolution");
  command->add_option("--description", options->given.description, "card: a sentence for people");
  command->add_option("--licence", options->given.licence, "card: licence of the weights");
  command->add_option("--training-data", options->given.training_data, "card: what it was trained on");
  command->add_option("--command", options->given.command, "card: the command and seed that made the weights");
  command->add_option("--range", options->given.range, "card: value range of the input, for example '0..1 luma'");
  command->add_option("--scale", options->scale, "card: output size / input size; measured when left out")
      ->check(CLI::Range(1, 16));
  command->add_option("--input-shape", options->shapes, "pin dynamic dimensions: NAME=1,3,224,224 (repeatable)")
      ->allow_extra_args(false);
  add_quantization(*command, *options);
  add_report(*command, *options);
  command->add_flag("--no-optimize", options->no_optimize, "keep the graph as imported");
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer(
      "Example: cocopipe compile net.onnx -o net.coco --name net --licence Apache-2.0\n"
      "          cocopipe compile sr.onnx -o sr8.coco --precision int8 --calibrate pictures\n"
      "          cocopipe compile net.onnx -o net.coco --input-shape x=1,3,224,224 --report net.json");
  command->callback([options, &action] { action = [options] { return compile(*options); }; });
}

}  // namespace coco::cli
