#include "tune/prune/prune.h"

#include <torch/types.h>

#include <filesystem>

#include "base/file.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "tune/copies.h"
#include "tune/graph_network.h"
#include "tune/network.h"
#include "tune/network_source.h"
#include "tune/onnx_export.h"
#include "tune/patch_task.h"
#include "tune/prune/constraint.h"
#include "tune/recognize_stack.h"
#include "tune/training_run.h"

namespace coco::tune {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Result<std::string> export_numbers(const Trainable& network, const std::vector<NamedTensor>& values) {
  COCO_ASSIGN(graph::Graph graph, network.graph(values));
  return to_onnx(std::move(graph), "pruned");
}

/// What is pruned, and what a checkpoint's subject says about it.
struct Dense {
  std::unique_ptr<Trainable> network;
  std::string description;  ///< JSON members, each with a comma behind it
};

Result<Dense> load_dense(const std::string& onnx, Random& random) {
  COCO_ASSIGN(graph::Graph graph, compiler::import_onnx(bytes_of(onnx), {}));
  const std::string from = "\"from\":\"" + sha256_hex(bytes_of(onnx)) + "\",";
  if (const std::optional<PlainNet> net = recognize_stack(graph)) {
    auto stack = std::make_unique<Network>(net->architecture, Branches::kPlain, random);
    stack->set(from_plain(*net));
    return Dense{std::move(stack),
                 "\"network\":" + to_json(NetworkSource{net->architecture, Branches::kPlain}) + "," + from};
  }
  COCO_TRY(compiler::run_passes(graph));
  COCO_ASSIGN(GraphNetwork network, GraphNetwork::create(std::move(graph)));
  return Dense{std::make_unique<GraphNetwork>(std::move(network)), from};
}

Result<PruneOutcome> run(const TrainOptions& options, const PruneOptions& pruning, const std::string& onnx,
                         const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                         const TrainHooks& hooks) {
  Random random(options.seed);
  COCO_ASSIGN(const Dense dense, load_dense(onnx, random));
  Trainable& network = *dense.network;
  COCO_ASSIGN(const graph::Graph graph, network.graph(network.deployed()));
  COCO_ASSIGN(const PrunePlan plan, plan_pruning(conv_layers(graph), pruning.request));
  PruneOutcome outcome;
  std::vector<NamedTensor> values = copies(network.deployed());
  prune_at_once(plan, values);
  COCO_ASSIGN(outcome.at_once, export_numbers(network, values));
  const auto constraint = make_constraint(plan, network.deployed(), pruning);
  const std::string subject = "{" + dense.description + "\"prune\":" + to_json(plan, pruning) + "}";
  std::filesystem::create_directories(options.out);
  PatchTask task(network, nullptr, options, images, validation);
  COCO_ASSIGN(values, run_training({network, constraint.get(), task, options, subject, hooks, random}));
  COCO_ASSIGN(outcome.onnx, export_numbers(network, values));
  COCO_ASSIGN(const graph::Graph result, network.graph(values));
  outcome.layers = measure_sparsity(result);
  return outcome;
}

}  // namespace

Result<PruneOutcome> prune(const TrainOptions& options, const PruneOptions& pruning, const std::string& onnx,
                           const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                           const TrainHooks& hooks) {
  COCO_TRY(check_options(pruning, options.iterations));
  if (images.empty()) return make_error(ErrorCode::kInvalidArgument, "there are no images to train on");
  COCO_TRY(check_patch_size(images, options.patch));
  try {
    return run(options, pruning, onnx, images, validation, hooks);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("pruning failed: ") + e.what());
  }
}

}  // namespace coco::tune
