#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;

Status run_train(const JobArguments& arguments) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(arguments.file, arguments.settings));
  COCO_ASSIGN(TrainJob job, read_train_job(tree));
  job.options.out = arguments.out.empty() ? "runs/" + job.name : arguments.out;
  job.options.resume = arguments.resume;
  tune::set_threads(job.threads);
  std::fprintf(stderr, "loading images\n");
  COCO_ASSIGN(const JobImages images, load_images(job));
  const tune::Architecture& a = job.network.architecture;
  std::fprintf(stderr, "%s: %lld parameters, %lld MAC per input pixel; %zu images, %zu for validation\n",
               job.name.c_str(), static_cast<long long>(tune::parameter_count(a)),
               static_cast<long long>(tune::macs_per_pixel(a)), images.train.size(), images.validation.size());
  COCO_ASSIGN(const std::string onnx,
              tune::train(job.options, job.network, images.train, images.validation, terminal_hooks()));
  const std::string path = (fs::path(job.options.out) / (job.name + ".onnx")).string();
  COCO_TRY(write_text(path, onnx));
  std::printf("wrote %s\n", path.c_str());
  if (job.data.benchmarks.empty()) return {};
  return print_benchmarks(onnx, job.data.benchmarks, job.threads);
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<JobArguments>();
  CLI::App* command = app.add_subcommand("train", "Train the network of a job file and write it as OUT/NAME.onnx");
  add_job_arguments(*command, *arguments);
  command->footer(
      "Example: cocopipe-tune train configs/tune/sr2x-s.yaml --out runs/sr2x-s --set schedule.iterations=2000");
  command->callback([arguments, &action] { action = [arguments] { return run_train(*arguments); }; });
}

}  // namespace coco::jobs
