#include "apps/cocopipe-tune/command.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/file.h"
#include "tune/dataset.h"

namespace coco::jobs {
namespace {

using tune::PairOptions;

std::atomic<bool> stop_requested{false};
void on_signal(int) { stop_requested = true; }

void print_phase(const std::string& phase, const tune::Progress& p) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  static int calls = 0;
  if (!terminal && calls++ % 10 != 0) return;
  const auto left = static_cast<long long>(p.seconds_left);
  std::fprintf(stderr, "%s%s%s%lld/%lld", terminal ? "\r\033[K" : "", phase.c_str(), phase.empty() ? "" : "  ",
               static_cast<long long>(p.iteration), static_cast<long long>(p.iterations));
  if (p.learning_rate > 0) std::fprintf(stderr, "  loss %.6f  rate %.2e", p.loss, p.learning_rate);
  std::fprintf(stderr, "  %.1f it/s  %lld:%02lld:%02lld left%s", p.per_second, left / 3600, left / 60 % 60, left % 60,
               terminal ? "" : "\n");
  std::fflush(stderr);
}

void print_progress(const tune::Progress& p) { print_phase("", p); }

void print_log_line(const std::string& line) {
  std::fprintf(stderr, "%s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", line.c_str());
}

Result<std::vector<tune::ImagePair>> load_set(const std::vector<std::string>& sources, const DataJob& data,
                                              const PairOptions& options) {
  COCO_ASSIGN(tune::LoadedPairs loaded, tune::load_pairs(sources, options));
  for (const std::string& line : loaded.skipped) std::fprintf(stderr, "cocopipe-tune: skipped: %s\n", line.c_str());
  if (!loaded.skipped.empty()) {
    std::fprintf(stderr, "cocopipe-tune: %zu images skipped, %zu used\n", loaded.skipped.size(), loaded.pairs.size());
  }
  tune::add_shrunk(loaded.pairs, data.shrink, options);
  return std::move(loaded.pairs);
}

}  // namespace

void add_job_arguments(CLI::App& command, JobArguments& arguments) {
  command.add_option("job", arguments.file, "The job file (YAML); docs/tune.md lists its keys")->required();
  command.add_option("--out", arguments.out, "Folder for checkpoint, log and model; default: runs/NAME");
  command.add_flag("--resume", arguments.resume, "Go on from the checkpoint in the folder");
  command
      .add_option("--set", arguments.settings, "KEY=VALUE instead of the file's, for example schedule.iterations=500")
      ->allow_extra_args(false);
}

Status prepare(const JobArguments& arguments, TrainJob& job) {
  job.options.out = arguments.out.empty() ? "runs/" + job.name : arguments.out;
  job.options.resume = arguments.resume;
  tune::set_threads(job.threads);
  if (job.init.empty()) return {};
  COCO_ASSIGN(job.network.model, read_model(job.init));
  return {};
}

Result<JobImages> load_images(const TrainJob& job) {
  std::fprintf(stderr, "loading images\n");
  COCO_ASSIGN(PairOptions options, tune::pairs_for(job.network));
  options.smallest = job.options.patch;
  options.fewest = job.data.fewest;
  JobImages images;
  COCO_ASSIGN(images.train, load_set(job.data.train, job.data, options));
  options.fewest = 1;
  if (!job.data.validation.empty()) {
    COCO_ASSIGN(images.validation, load_set(job.data.validation, job.data, options));
  }
  if (job.data.degrade) {
    std::fprintf(stderr, "degrading images\n");
    COCO_TRY(degrade_training(*job.data.degrade, job.options.seed, images.train));
    COCO_TRY(degrade_measured(job.data.degrade->measured_crf, images.validation));
  }
  return images;
}

tune::TrainHooks terminal_hooks() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return {print_progress, print_log_line, &stop_requested};
}

tune::ExploreHooks terminal_search_hooks() {
  const tune::TrainHooks hooks = terminal_hooks();
  return {print_phase, hooks.log_line, hooks.stop};
}

Status print_benchmarks(const std::string& onnx, const std::string& folder, int threads, std::optional<double> crf) {
  COCO_ASSIGN(const auto model, tune::compile_model(onnx));
  COCO_ASSIGN(auto sets, tune::load_benchmarks(folder, tune::pairs_for(*model)));
  for (tune::NamedSet& set : sets) {
    COCO_ASSIGN(const tune::Figures f, tune::evaluate(model, set.images, threads));
    std::printf("%-8s psnr_y %.3f  ssim_y %.4f  images %d", set.name.c_str(), f.psnr_y, f.ssim_y, f.images);
    if (crf) {
      COCO_TRY(degrade_measured(*crf, set.images));
      COCO_ASSIGN(const tune::Figures coded, tune::evaluate(model, set.images, threads));
      std::printf("  at crf %g: psnr_y %.3f  ssim_y %.4f", *crf, coded.psnr_y, coded.ssim_y);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  return {};
}

Status print_benchmarks(const std::string& onnx, const DataJob& data, int threads) {
  std::optional<double> crf;
  if (data.degrade) crf = data.degrade->measured_crf;
  return print_benchmarks(onnx, data.benchmarks, threads, crf);
}

Status write_text(const std::string& path, const std::string& bytes) {
  return write_file_atomically(path, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace coco::jobs
