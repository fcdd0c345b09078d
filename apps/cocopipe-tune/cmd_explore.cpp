#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "apps/cocopipe-tune/job_explore.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;

void print_outcome(const tune::ExploreOutcome& outcome) {
  std::printf("%-20s %12s %12s %12s\n", "choices", "milliseconds", "psnr before", "psnr after");
  for (const tune::TriedConfiguration& tried : outcome.tried) {
    std::string choices;
    for (const int c : tried.choices) choices += (choices.empty() ? "" : " ") + std::to_string(c);
    std::printf("%-20s %12.3f %12.3f %12.3f\n", choices.c_str(), tried.milliseconds, tried.psnr_start, tried.psnr);
  }
  std::printf(
      "%zu configurations, %zu blocks pre-trained in %zu runs; seconds: measuring %.1f, blocks %.1f, tuning %.1f\n",
      outcome.configurations, outcome.blocks, outcome.groups, outcome.seconds_measuring, outcome.seconds_blocks,
      outcome.seconds_tuning);
  std::printf("%s\n", outcome.verdict.c_str());
}

Status run_explore(const JobArguments& arguments) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(arguments.file, arguments.settings));
  MapReader reader(tree.source, tree.root, "the job");
  tune::ExploreOptions options;
  EngineTimeOptions time;
  if (const loader::YamlNode* node = reader.map("explore")) {
    COCO_TRY(read_exploring(tree.source, *node, options, time));
  } else {
    reader.fail(reader.position(), "no 'explore:'; docs/tune.md lists its keys");
  }
  TrainJob job = read_trained_job(tree.source, reader, "-explored");
  COCO_TRY(reader.finish());
  COCO_TRY(prepare(arguments, job));
  options.train = job.options;
  COCO_ASSIGN(const JobImages images, load_images(job));
  const auto measure = [&](const std::string& onnx) { return engine_milliseconds(onnx, images.train, time); };
  COCO_ASSIGN(const tune::ExploreOutcome outcome, tune::explore(job.network.model, options, images.train,
                                                                images.validation, measure, terminal_search_hooks()));
  print_outcome(outcome);
  if (!outcome.found) return make_error(ErrorCode::kNotFound, "the objective is not met: " + outcome.verdict);
  const std::string path = (fs::path(job.options.out) / (job.name + ".onnx")).string();
  COCO_TRY(write_text(path, outcome.onnx));
  std::printf("wrote %s\n", path.c_str());
  if (job.data.benchmarks.empty()) return {};
  return print_benchmarks(outcome.onnx, job.data, job.threads);
}

}  // namespace

void add_explore(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<JobArguments>();
  CLI::App* command = app.add_subcommand("explore", "Search the pruning of a trained network that meets an objective");
  add_job_arguments(*command, *arguments);
  command->footer(
      "Example: cocopipe-tune explore configs/tune/explore/sr2x-s-fast.yaml --out runs/fast --set "
      "explore.objective.psnr=33.5");
  command->callback([arguments, &action] { action = [arguments] { return run_explore(*arguments); }; });
}

}  // namespace coco::jobs
