#include "tune/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <filesystem>

#include "tune/network_source.h"
#include "tune/onnx_export.h"
#include "tune/patch_task.h"
#include "tune/training_log.h"
#include "tune/training_run.h"
#include "tune/training_state.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;

Status check_options(const TrainOptions& o) {
  if (o.iterations < 1 || o.batch < 1 || o.patch < 4 || o.validate_every < 1 || o.checkpoint_every < 1 ||
      o.warmup < 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "iterations, batch and intervals must be at least 1, and patch at least 4");
  }
  if (!(o.learning_rate > 0) || !(o.last_share >= 0 && o.last_share <= 1) ||
      !(o.average_decay >= 0 && o.average_decay < 1)) {
    return make_error(ErrorCode::kInvalidArgument,
                      "the learning rate must be positive, shares within 0..1 and decays below 1");
  }
  return {};
}

Result<std::string> export_numbers(const Trainable& network, const std::vector<NamedTensor>& values,
                                   const NetworkSource& source) {
  COCO_ASSIGN(graph::Graph graph, network.graph(values));
  return to_onnx(std::move(graph), name_of(source));
}

/// Refuses before the first step what the engine would refuse after the last.
Status check_network(const Trainable& network, const NetworkSource& source) {
  auto onnx = export_numbers(network, network.deployed(), source);
  const Status runs = onnx.ok() ? check_runs(*onnx) : Status(onnx.take_error());
  if (runs.ok()) return {};
  return make_error(runs.error().code, "the engine cannot run this network: " + runs.error().message);
}

}  // namespace

double learning_rate_at(const TrainOptions& options, int64_t iteration) {
  const auto i = static_cast<double>(iteration), n = static_cast<double>(options.iterations);
  const double rise = iteration < options.warmup ? (i + 1.0) / static_cast<double>(options.warmup) : 1.0;
  return options.learning_rate * rise * 0.5 * (1.0 + std::cos(3.141592653589793 * i / n));
}

LossKind loss_at(const TrainOptions& options, int64_t iteration) {
  const auto last_from = static_cast<double>(options.iterations) * (1.0 - options.last_share);
  return static_cast<double>(iteration) >= last_from ? options.last_loss : options.loss;
}

namespace {

void move_to_cuda(const Trainable& network) {
  for (const NamedTensor& p : network.parameters()) p.tensor.set_data(p.tensor.detach().to(torch::kCUDA));
}

Status check_request(const TrainOptions& options, const NetworkSource& source, const std::vector<ImagePair>& images) {
  COCO_TRY(check_options(options));
  COCO_ASSIGN(const PairOptions pairs, pairs_for(source));
  if (options.patch % pairs.multiple != 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "the patch must be a multiple of " + std::to_string(pairs.multiple) + ", as the input's sides");
  }
  if (options.cuda && !at::hasCUDA()) {
    return make_error(ErrorCode::kUnavailable, "this build of libtorch has no CUDA device; train on the cpu");
  }
  if (images.empty()) return make_error(ErrorCode::kInvalidArgument, "there are no images to train on");
  return check_patch_size(images, options.patch);
}

}  // namespace

Result<std::string> train(const TrainOptions& options, const NetworkSource& source,
                          const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                          const TrainHooks& hooks) {
  COCO_TRY(check_request(options, source, images));
  try {
    Random random(options.seed);
    COCO_ASSIGN(const std::unique_ptr<Trainable> network, make_network(source, random));
    COCO_TRY(check_network(*network, source));
    COCO_TRY(prepare_folder(options));
    if (options.cuda) move_to_cuda(*network);
    const std::string subject = "{\"network\":" + to_json(source) + "}";
    PatchTask task(*network, nullptr, options, images, validation);
    COCO_ASSIGN(const auto values,
                run_training({*network, nullptr, task, options, subject, hooks, random, model_to_keep(source)}));
    return export_numbers(*network, values, source);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("training failed: ") + e.what());
  }
}

void set_threads(int count) { at::set_num_threads(count); }

Result<std::string> load_trained(const std::string& checkpoint_path) {
  COCO_ASSIGN(const Checkpoint checkpoint, load_checkpoint(checkpoint_path));
  try {
    COCO_ASSIGN(const NetworkSource source, read_source(checkpoint));
    Random random(1);
    COCO_ASSIGN(const std::unique_ptr<Trainable> network, make_network(source, random));
    const std::vector<NamedTensor> values = network->deployed();
    COCO_TRY(read_average(checkpoint, values));
    return export_numbers(*network, values, source);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData, "'" + checkpoint_path + "' cannot be read: " + e.what());
  }
}

}  // namespace coco::tune
