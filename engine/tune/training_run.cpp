#include "tune/training_run.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <filesystem>
#include <optional>

#include "tune/copies.h"
#include "tune/training_log.h"
#include "tune/training_state.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;

/// The gradients of the deployed numbers carried on into the parameters.
void chain(const std::vector<NamedTensor>& deployed, const std::vector<torch::Tensor>& gradients) {
  torch::autograd::variable_list outputs, of_outputs;
  for (size_t i = 0; i < deployed.size(); ++i) {
    if (!deployed[i].tensor.requires_grad()) continue;
    outputs.push_back(deployed[i].tensor);
    of_outputs.push_back(gradients[i]);
  }
  if (!outputs.empty()) torch::autograd::backward(outputs, of_outputs);
}

bool all_finite(const std::vector<NamedTensor>& tensors) {
  for (const NamedTensor& t : tensors) {
    if (!torch::isfinite(t.tensor.detach()).all().item<bool>()) return false;
  }
  return true;
}

class Run {
 public:
  explicit Run(TrainingRun run)
      : run_(std::move(run)),
        options_(run_.options),
        optimizer_(run_.network.parameters(), options_.optimizer),
        average_(copies(run_.network.deployed())),
        subject_(subject_of(options_, run_.subject)),
        checkpoint_path_((fs::path(options_.out) / "checkpoint.pt").string()),
        log_(options_, run_.hooks) {}

  Status resume();
  Status loop();
  std::vector<NamedTensor> averaged() const;

 private:
  Result<double> step();
  void update_average();
  TrainingState state() { return {run_.network, run_.constraint, optimizer_, average_, run_.random, iteration_}; }
  Checkpoint snapshot();
  Status save();
  void remember();
  Status write_pending();
  Status validate(double loss);
  Error diverged() const;

  TrainingRun run_;
  const TrainOptions& options_;
  Optimizer optimizer_;
  std::vector<NamedTensor> average_;
  std::string subject_, checkpoint_path_;
  TrainingLog log_;
  int64_t iteration_ = 0, saved_at_ = 0;
  std::optional<Checkpoint> pending_;  ///< of the last step; written when the next one finds its loss finite
};

Result<double> Run::step() {
  const std::vector<NamedTensor> deployed = run_.network.deployed();
  std::vector<NamedTensor> values = copies(deployed);
  if (run_.constraint != nullptr) {
    run_.constraint->begin_step(iteration_, values);
    run_.constraint->project(values);
  }
  std::vector<torch::Tensor> gradients;
  const double loss = run_.task.step(values, iteration_, run_.random, gradients);
  if (!std::isfinite(loss)) return loss;
  COCO_TRY(write_pending());
  if (run_.constraint != nullptr) run_.constraint->adjust(values, gradients);
  chain(deployed, gradients);
  optimizer_.step(learning_rate_at(options_, iteration_));
  ++iteration_;
  update_average();
  return loss;
}

// The decay rises with the iteration, so that the random start is soon forgotten.
void Run::update_average() {
  const torch::NoGradGuard no_grad;
  std::vector<NamedTensor> values = copies(run_.network.deployed());
  if (run_.constraint != nullptr) run_.constraint->project(values);
  const auto i = static_cast<double>(iteration_);
  const double share = 1.0 - std::min(options_.average_decay, i / (i + 10.0));
  for (size_t k = 0; k < average_.size(); ++k) average_[k].tensor.lerp_(values[k].tensor, share);
}

// Numbers that a mask has cleared since are still fading in the average.
std::vector<NamedTensor> Run::averaged() const {
  std::vector<NamedTensor> values = copies(average_);
  if (run_.constraint != nullptr) run_.constraint->project(values);
  return values;
}

Status Run::resume() {
  COCO_ASSIGN(const Checkpoint checkpoint, load_checkpoint(checkpoint_path_));
  COCO_TRY(restore_snapshot(checkpoint, subject_, checkpoint_path_, state()));
  saved_at_ = iteration_;
  return log_.resume_at(iteration_);
}

Error Run::diverged() const {
  const std::string kept = saved_at_ > 0 ? "the checkpoint of iteration " + std::to_string(saved_at_) + " is kept"
                                         : "there is no checkpoint yet";
  return make_error(ErrorCode::kInvalidData, "training diverged: the loss or a weight is not finite after iteration " +
                                                 std::to_string(iteration_) + "; " + kept +
                                                 "; give a lower rate or a longer warm-up");
}

Checkpoint Run::snapshot() {
  Checkpoint checkpoint = take_snapshot(state(), subject_);
  for (const NamedTensor& t : run_.keep) checkpoint.tensors[t.name] = t.tensor;
  return checkpoint;
}

Status Run::save() {
  if (!all_finite(run_.network.parameters()) || !all_finite(average_)) return diverged();
  pending_.reset();
  COCO_TRY(save_checkpoint(snapshot(), checkpoint_path_));
  saved_at_ = iteration_;
  return {};
}

void Run::remember() {
  pending_ = snapshot();
  for (auto& [name, tensor] : pending_->tensors) tensor = tensor.detach().clone();
}

Status Run::write_pending() {
  if (!pending_) return {};
  COCO_TRY(save_checkpoint(*pending_, checkpoint_path_));
  pending_.reset();
  saved_at_ = iteration_;
  return {};
}

Status Run::validate(double loss) {
  COCO_ASSIGN(const auto figures, run_.task.validate(averaged()));
  return log_.validated(iteration_, loss, figures);
}

Status Run::loop() {
  double loss = 0;
  bool first = true;
  while (iteration_ < options_.iterations) {
    COCO_ASSIGN(const double now, step());
    if (!std::isfinite(now)) return diverged();
    loss = first ? now : 0.98 * loss + 0.02 * now;
    first = false;
    const bool last = iteration_ == options_.iterations;
    const bool stopped = run_.hooks.stop && run_.hooks.stop->load();
    if (last || stopped) {
      COCO_TRY(save());
    } else if (iteration_ % options_.checkpoint_every == 0) {
      remember();
    }
    if (last || iteration_ % options_.validate_every == 0) COCO_TRY(validate(loss));
    if (stopped && !last) {
      return make_error(ErrorCode::kCancelled, "stopped at iteration " + std::to_string(iteration_) +
                                                   "; the same command with --resume goes on");
    }
    log_.report(iteration_, loss);
  }
  return {};
}

}  // namespace

Result<std::vector<NamedTensor>> run_training(TrainingRun request) {
  const bool resume = request.options.resume;
  Run run(std::move(request));
  if (resume) COCO_TRY(run.resume());
  COCO_TRY(run.loop());
  return run.averaged();
}

}  // namespace coco::tune
