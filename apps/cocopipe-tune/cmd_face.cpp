#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "apps/cocopipe-tune/job_face.h"
#include "coco/compile.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;

struct Options {
  JobArguments arguments;
  std::string model, sheet, photos, detector;
};

void print_figures(const char* title, const tune::FaceFigures& figures) {
  std::printf("%s\n", title);
  for (const auto& [name, value] : figures) std::printf("  %-24s %9.4f\n", name.c_str(), value);
  std::fflush(stdout);
}

Result<std::shared_ptr<const Model>> compile(const std::string& onnx) {
  COCO_ASSIGN(const auto bytes,
              compile_onnx_bytes({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, CompileOptions{}));
  return Model::from_bytes(bytes);
}

/// Landmarks in photographs: a picture to look at.
Status look_at_photos(const Options& options) {
  if (options.model.empty() || options.detector.empty() || options.sheet.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "--photos needs --model, --detector and --sheet");
  }
  COCO_ASSIGN(const auto detector, load_or_compile(options.detector));
  COCO_ASSIGN(const auto landmarks, load_or_compile(options.model));
  COCO_ASSIGN(const tune::PhotoFigures figures, tune::draw_photos(options.photos, detector, landmarks, options.sheet));
  std::printf("%d faces, five points %.2f %% apart (median); wrote %s\n", figures.faces, figures.apart,
              options.sheet.c_str());
  return {};
}

/// Judges a model file on the job's held-out people.
Status measure_only(const Options& options, FaceJobFile& file) {
  file.job.data.count = 0;
  COCO_ASSIGN(const auto pictures, tune::render_job(file.job, terminal_hooks()));
  COCO_ASSIGN(const auto model, load_or_compile(options.model));
  COCO_ASSIGN(const auto figures, tune::measure_face(file.job, *pictures, model));
  print_figures(options.model.c_str(), figures);
  if (options.sheet.empty()) return {};
  return tune::draw_face(file.job, *pictures, model, options.sheet);
}

Status run_face(const Options& options) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(options.arguments.file, options.arguments.settings));
  COCO_ASSIGN(FaceJobFile file, read_face_job(tree));
  tune::FaceJob& job = file.job;
  tune::set_threads(file.threads);
  if (!options.photos.empty()) return look_at_photos(options);
  if (!options.model.empty()) return measure_only(options, file);
  job.options.out = options.arguments.out.empty() ? "runs/" + file.name : options.arguments.out;
  job.options.resume = options.arguments.resume;
  const auto [parameters, macs] = tune::face_network_size(job.network);
  std::fprintf(stderr, "%s: %lld parameters, %.1f million MAC; rendering %d faces\n", file.name.c_str(),
               static_cast<long long>(parameters), static_cast<double>(macs) / 1e6, job.data.count);
  const tune::TrainHooks hooks = terminal_hooks();
  COCO_ASSIGN(const auto pictures, tune::render_job(job, hooks));
  COCO_ASSIGN(const std::string onnx, tune::train_face(job, *pictures, hooks));
  const std::string base = (fs::path(job.options.out) / file.name).string();
  COCO_TRY(write_text(base + "-f32.onnx", onnx));
  COCO_ASSIGN(const auto dense, compile(onnx));
  COCO_ASSIGN(const auto dense_figures, tune::measure_face(job, *pictures, dense));
  print_figures("f32", dense_figures);
  QuantizeReport report;
  if (file.card.command.empty()) file.card.command = "cocopipe-tune face " + options.arguments.file;
  file.card.name = file.name;
  COCO_ASSIGN(const std::string integer, tune::quantize_face(job, *pictures, onnx, file.card, &report));
  for (const QuantizedLayer& layer : report.layers) {
    if (!layer.int8) std::printf("%s stays f32: %s\n", layer.name.c_str(), layer.reason.c_str());
  }
  COCO_TRY(write_text(base + ".onnx", integer));
  COCO_ASSIGN(const auto model, compile(integer));
  COCO_ASSIGN(const auto figures, tune::measure_face(job, *pictures, model));
  print_figures("integers", figures);
  const std::string sheet = options.sheet.empty() ? base + ".png" : options.sheet;
  COCO_TRY(tune::draw_face(job, *pictures, model, sheet));
  std::printf("wrote %s-f32.onnx, %s.onnx and %s\n", base.c_str(), base.c_str(), sheet.c_str());
  return {};
}

}  // namespace

void add_face(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("face", "Train a face network on synthetic heads, in integers at the end");
  add_job_arguments(*command, options->arguments);
  command->add_option("--model", options->model, "Train nothing: measure this model on the job's held-out people");
  command->add_option("--sheet", options->sheet, "PNG of held-out crops with the model's answers");
  command->add_option("--photos", options->photos,
                      "With --model: draw its landmarks into the faces of these photographs");
  command->add_option("--detector", options->detector, "For --photos: a face detector of YuNet's form");
  command->footer("Example: cocopipe-tune face configs/tune/face/landmarks.yaml --out runs/face-landmarks");
  command->callback([options, &action] { action = [options] { return run_face(*options); }; });
}

}  // namespace coco::jobs
