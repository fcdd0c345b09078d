#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "apps/cocopipe-tune/job_quantize.h"
#include "base/file.h"
#include "tune/qat/quantize_training.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;
using tune::NamedSet;

/// What one model gives on each set.
Result<std::vector<tune::Figures>> measure(const std::string& onnx, const std::vector<NamedSet>& sets, int threads) {
  COCO_ASSIGN(const auto model, tune::compile_model(onnx));
  std::vector<tune::Figures> figures;
  for (const NamedSet& set : sets) {
    COCO_ASSIGN(figures.emplace_back(), tune::evaluate(model, set.images, threads));
  }
  return figures;
}

void print_row(const char* name, const std::vector<tune::Figures>& figures) {
  std::printf("%-22s", name);
  for (const tune::Figures& f : figures) std::printf(" %9.3f", f.psnr_y);
  std::printf("\n");
  std::fflush(stdout);
}

Status write_coco(const std::string& path, const std::string& onnx, const ModelCard& card) {
  CompileOptions options;
  options.card = card;
  COCO_ASSIGN(const auto bytes,
              compile_onnx_bytes({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, options));
  return write_file_atomically(path, bytes);
}

std::string figure_name(const std::string& set, const char* measure) {
  std::string name = set + measure;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

void complete_card(const QuantizeJob& job, const std::string& file, const std::vector<NamedSet>& sets,
                   const std::vector<tune::Figures>& figures, ModelCard& card) {
  card.name = job.train.name;
  card.task = "super-resolution";
  card.range = "0..1 luma";
  if (card.command.empty()) card.command = "cocopipe-tune quantize " + file;
  for (size_t i = 0; i < sets.size(); ++i) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3f", figures[i].psnr_y);
    card.figures.emplace_back(figure_name(sets[i].name, "_psnr_y"), text);
    std::snprintf(text, sizeof(text), "%.4f", figures[i].ssim_y);
    card.figures.emplace_back(figure_name(sets[i].name, "_ssim_y"), text);
  }
}

/// Everything but the network that decides the run.
std::string subject_of(const QuantizeJob& job, const Model& model) {
  const tune::QuantizeSettings& s = job.settings;
  return "{\"network\": \"quantized\", \"model\": \"" + model.sha256() +
         "\", \"precision\": " + std::to_string(static_cast<int>(s.precision)) +
         ", \"max_loss\": " + std::to_string(s.max_loss_db) + ", \"gains\": " + std::to_string(s.training.learn_gains) +
         ", \"ranges\": " + std::to_string(s.training.learn_ranges) + ", \"distill\": " + std::to_string(s.distill) +
         "}";
}

Status run_quantize(const JobArguments& arguments) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(arguments.file, arguments.settings));
  COCO_ASSIGN(QuantizeJob job, read_quantize_job(tree));
  COCO_TRY(prepare(arguments, job.train));
  job.settings.train = job.train.options;
  const std::string& onnx = job.train.network.model;
  COCO_ASSIGN(const auto model, tune::compile_model(onnx));
  COCO_ASSIGN(const JobImages images, load_images(job.train));
  std::vector<NamedSet> sets;
  if (!job.train.data.benchmarks.empty()) {
    COCO_ASSIGN(sets, tune::load_benchmarks(job.train.data.benchmarks, tune::pairs_for(*model)));
  }
  if (!images.validation.empty()) sets.push_back({"val", images.validation});

  std::fprintf(stderr, "calibrating\n");
  COCO_ASSIGN(const tune::QuantizedGraphs graphs, tune::quantize_model(onnx, job.settings, images.train));
  for (const QuantizedLayer& layer : graphs.report.layers) {
    if (!layer.int8) std::printf("%s stays f32: %s\n", layer.name.c_str(), layer.reason.c_str());
  }
  std::printf("%-22s", "PSNR-Y");
  for (const NamedSet& set : sets) std::printf(" %9s", set.name.c_str());
  std::printf("\n");
  COCO_ASSIGN(const auto before, measure(onnx, sets, job.train.threads));
  print_row("f32", before);
  COCO_ASSIGN(const std::string start, tune::to_integer_onnx(graphs.integer, {}));
  COCO_ASSIGN(const auto calibrated, measure(start, sets, job.train.threads));
  print_row("integers, calibrated", calibrated);

  COCO_ASSIGN(const graph::Graph trained, tune::train_quantized(graphs, job.settings, subject_of(job, *model),
                                                                images.train, images.validation, terminal_hooks()));
  COCO_ASSIGN(std::string result, tune::to_integer_onnx(trained, {}));
  COCO_ASSIGN(const auto after, measure(result, sets, job.train.threads));
  print_row("integers, trained", after);
  // The last set is the validation's, if there is one: no other may decide.
  const bool worse = !images.validation.empty() && after.back().psnr_y < calibrated.back().psnr_y;
  if (worse) std::printf("training has lost quality on the validation images; the calibrated integers are kept\n");
  ModelCard card = job.card;
  complete_card(job, arguments.file, sets, worse ? calibrated : after, card);
  COCO_ASSIGN(result, tune::to_integer_onnx(worse ? graphs.integer : trained, card));
  const std::string base = (fs::path(job.train.options.out) / job.train.name).string();
  COCO_TRY(write_text(base + ".onnx", result));
  COCO_TRY(write_coco(base + ".coco", result, card));
  std::printf("wrote %s.onnx and %s.coco\n", base.c_str(), base.c_str());
  return {};
}

}  // namespace

void add_quantize(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<JobArguments>();
  CLI::App* command = app.add_subcommand(
      "quantize", "Train an ONNX model's integer form and write it as OUT/NAME.onnx (QDQ) and OUT/NAME.coco");
  add_job_arguments(*command, *arguments);
  command->footer("Example: cocopipe-tune quantize configs/tune/quantize/sr2x-s.yaml --set schedule.iterations=2000");
  command->callback([arguments, &action] { action = [arguments] { return run_quantize(*arguments); }; });
}

}  // namespace coco::jobs
