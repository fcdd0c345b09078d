#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "apps/cocopipe-tune/job_prune.h"
#include "tune/prune/prune.h"

namespace coco::jobs {
namespace {

namespace fs = std::filesystem;

void print_layers(const std::vector<tune::LayerSparsity>& layers) {
  std::printf("%-16s %8s %18s %18s\n", "layer", "zeros", "entries, tile of 8", "tile of 4");
  for (const tune::LayerSparsity& l : layers) {
    std::printf("%-16s %7.1f%% %10zu of %4zu %10zu of %4zu\n", l.name.c_str(), 100 * l.sparsity, l.eight.kept,
                l.eight.dense, l.four.kept, l.four.dense);
  }
}

Status run_prune(const JobArguments& arguments) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(arguments.file, arguments.settings));
  MapReader reader(tree.source, tree.root, "the job");
  tune::PruneOptions pruning;
  if (const loader::YamlNode* node = reader.map("prune")) {
    COCO_TRY(read_pruning(tree.source, *node, pruning));
  } else {
    reader.fail(reader.position(), "no 'prune:'; docs/tune.md lists its keys");
  }
  TrainJob job = read_trained_job(tree.source, reader, "-pruned");
  COCO_TRY(reader.finish());
  COCO_TRY(prepare(arguments, job));
  const std::string& dense = job.network.model;
  COCO_ASSIGN(const JobImages images, load_images(job));
  COCO_ASSIGN(const tune::PruneOutcome outcome,
              tune::prune(job.options, pruning, dense, images.train, images.validation, terminal_hooks()));
  const std::string path = (fs::path(job.options.out) / (job.name + ".onnx")).string();
  COCO_TRY(write_text(path, outcome.onnx));
  print_layers(outcome.layers);
  std::printf("wrote %s\n", path.c_str());
  if (job.data.benchmarks.empty()) return {};
  const std::pair<const char*, const std::string*> stages[] = {
      {"dense", &dense}, {"pruned at once, not trained", &outcome.at_once}, {"pruned and trained", &outcome.onnx}};
  for (const auto& [title, onnx] : stages) {
    std::printf("%s\n", title);
    COCO_TRY(print_benchmarks(*onnx, job.data, job.threads));
  }
  return {};
}

}  // namespace

void add_prune(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<JobArguments>();
  CLI::App* command = app.add_subcommand("prune", "Prune a trained network, training it on, and write OUT/NAME.onnx");
  add_job_arguments(*command, *arguments);
  command->footer(
      "Example: cocopipe-tune prune configs/tune/prune/sr2x-s.yaml --out runs/sr2x-s-pruned --set "
      "prune.block=4");
  command->callback([arguments, &action] { action = [arguments] { return run_prune(*arguments); }; });
}

}  // namespace coco::jobs
