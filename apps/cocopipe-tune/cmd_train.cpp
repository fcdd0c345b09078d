#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;

std::string describe(const TrainJob& job) {
  if (job.network.init == tune::NetworkSource::Init::kWhole) return job.name + ": " + job.init + "; ";
  const tune::Architecture& a = job.network.architecture;
  return job.name + ": " + std::to_string(tune::parameter_count(a)) + " parameters, " +
         std::to_string(tune::macs_per_pixel(a)) + " MAC per input pixel; ";
}

Status run_train(const JobArguments& arguments) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(arguments.file, arguments.settings));
  COCO_ASSIGN(TrainJob job, read_train_job(tree));
  COCO_TRY(prepare(arguments, job));
  COCO_ASSIGN(const JobImages images, load_images(job));
  std::fprintf(stderr, "%s%zu images, %zu for validation\n", describe(job).c_str(), images.train.size(),
               images.validation.size());
  COCO_ASSIGN(const std::string onnx,
              tune::train(job.options, job.network, images.train, images.validation, terminal_hooks()));
  const std::string path = (fs::path(job.options.out) / (job.name + ".onnx")).string();
  COCO_TRY(write_text(path, onnx));
  std::printf("wrote %s\n", path.c_str());
  if (job.data.benchmarks.empty()) return {};
  return print_benchmarks(onnx, job.data, job.threads);
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
