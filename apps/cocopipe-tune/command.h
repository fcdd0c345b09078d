// Purpose: what every command of the program shares: how it is registered, how it speaks, how it is interrupted.
// Ownership: commands own their options through the parser's lifetime.
// Threads: the main thread.
// Failure: an action's Error becomes one line on standard error and exit code 1 (130 when cancelled).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/cocopipe-tune/job.h"
#include "coco/status.h"
#include "tune/evaluate.h"
#include "tune/explore/explore.h"
#include "tune/trainer.h"

namespace coco::jobs {

using Action = std::function<Status()>;

/// Each adds one command, in its own file; when it is chosen, `action` is set.
void add_train(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_explore(CLI::App& app, Action& action);
void add_prune(CLI::App& app, Action& action);
void add_quantize(CLI::App& app, Action& action);
void add_face(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_synth(CLI::App& app, Action& action);

/// The arguments of a command that runs a job: JOB.yaml, --out, --resume, --set.
struct JobArguments {
  std::string file, out;
  bool resume = false;
  std::vector<std::string> settings;
};
void add_job_arguments(CLI::App& command, JobArguments& arguments);

/// What the arguments add to a job: the folder, resuming; reads the model in `init`; sets libtorch's threads.
Status prepare(const JobArguments& arguments, TrainJob& job);

/// Training and validation images for the job's network; what was skipped is named on standard error.
struct JobImages {
  std::vector<tune::ImagePair> train, validation;
};
Result<JobImages> load_images(const TrainJob& job);

/// Progress and log lines on standard error, and a flag that SIGINT and SIGTERM set.
tune::TrainHooks terminal_hooks();
tune::ExploreHooks terminal_search_hooks();

/// PSNR and SSIM of a serialised ONNX model on the sets of a folder, one line each on standard output; with `crf` also
/// on the same pictures out of H.264.
Status print_benchmarks(const std::string& onnx, const std::string& folder, int threads, std::optional<double> crf);
/// On a job's benchmarks, out of H.264 as well when the job degrades what it trains on.
Status print_benchmarks(const std::string& onnx, const DataJob& data, int threads);

Status write_text(const std::string& path, const std::string& bytes);

}  // namespace coco::jobs
