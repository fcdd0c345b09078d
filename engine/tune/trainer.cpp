#include "tune/trainer.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "tune/checkpoint.h"
#include "tune/evaluate.h"
#include "tune/network.h"
#include "tune/optimizer.h"
#include "tune/patch_step.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

torch::Tensor to_float(std::vector<uint8_t>& bytes, int count, int size) {
  return torch::from_blob(bytes.data(), {count, 1, size, size}, torch::kUInt8).to(torch::kFloat32).mul_(1.0 / 255.0);
}

/// Everything that decides the numbers of a run: a checkpoint made with other settings must not be continued.
std::string fingerprint(const TrainOptions& o) {
  const nlohmann::json j = {{"arch", o.architecture},
                            {"seed", o.seed},
                            {"iterations", o.iterations},
                            {"batch", o.batch},
                            {"patch", o.patch},
                            {"learning_rate", o.learning_rate},
                            {"warmup", o.warmup},
                            {"loss", static_cast<int>(o.loss)},
                            {"last_loss", static_cast<int>(o.last_loss)},
                            {"last_share", o.last_share},
                            {"average_decay", o.average_decay},
                            {"branches", static_cast<int>(o.branches)},
                            {"optimizer", static_cast<int>(o.optimizer.kind)},
                            {"beta1", o.optimizer.beta1},
                            {"beta2", o.optimizer.beta2},
                            {"beta_factors", o.optimizer.beta_factors},
                            {"refresh", o.optimizer.refresh},
                            {"portable", o.portable}};
  return j.dump();
}

class Run {
 public:
  Run(const TrainOptions& options, Architecture architecture, const std::vector<ImagePair>& images,
      const std::vector<ImagePair>& validation, const TrainHooks& hooks)
      : options_(options),
        images_(images),
        validation_(validation),
        hooks_(hooks),
        random_(options.seed),
        network_(std::move(architecture), options.branches, random_),
        optimizer_(network_.parameters(), options.optimizer),
        checkpoint_path_((fs::path(options.out) / "checkpoint.pt").string()),
        log_path_((fs::path(options.out) / "log.jsonl").string()) {
    for (const FoldedLayer& l : network_.fold()) average_.push_back(copy(l));
    if (!options.portable && patch_step_supported(network_.architecture(), options.patch)) {
      patch_step_.emplace(network_.architecture(), options.patch);
    }
  }

  Status resume();
  Status loop();
  PlainNet averaged() const { return to_plain(network_.architecture(), average_); }

 private:
  static FoldedLayer copy(const FoldedLayer& l) {
    return {l.weight.detach().clone(), l.bias.detach().clone(),
            l.slope.defined() ? l.slope.detach().clone() : torch::Tensor()};
  }

  double step();
  double torch_gradient(const std::vector<FoldedLayer>& folded, LossKind kind);
  double own_gradient(const std::vector<FoldedLayer>& folded, LossKind kind);
  void update_average(const std::vector<FoldedLayer>& folded);
  Checkpoint snapshot() const;
  Status restore(const Checkpoint& checkpoint);
  Status trim_log() const;
  Status validate(double loss);
  void report(double loss);

  const TrainOptions& options_;
  const std::vector<ImagePair>& images_;
  const std::vector<ImagePair>& validation_;
  const TrainHooks& hooks_;
  Random random_;
  Network network_;
  Optimizer optimizer_;
  std::vector<FoldedLayer> average_;
  std::string checkpoint_path_, log_path_;
  PatchBatch patches_;
  std::optional<PatchStep> patch_step_;
  int64_t iteration_ = 0;
  int64_t started_at_ = 0;
  Clock::time_point start_ = Clock::now(), last_report_ = start_;
};

double Run::step() {
  sample_patches(images_, options_.batch, options_.patch, network_.architecture().scale, random_, patches_);
  const auto last_from = static_cast<double>(options_.iterations) * (1.0 - options_.last_share);
  const LossKind kind = static_cast<double>(iteration_) >= last_from ? options_.last_loss : options_.loss;
  const std::vector<FoldedLayer> folded = network_.fold();
  const double loss = patch_step_ ? own_gradient(folded, kind) : torch_gradient(folded, kind);
  optimizer_.step(learning_rate_at(options_, iteration_));
  ++iteration_;
  update_average(network_.fold());
  return loss;
}

double Run::torch_gradient(const std::vector<FoldedLayer>& folded, LossKind kind) {
  const Architecture& architecture = network_.architecture();
  const torch::Tensor input = to_float(patches_.lr, options_.batch, options_.patch);
  const torch::Tensor target = to_float(patches_.hr, options_.batch, options_.patch * architecture.scale);
  const torch::Tensor d = run_folded(architecture, folded, input) - target;
  torch::Tensor loss;
  if (kind == LossKind::kAbsolute) {
    loss = d.abs().mean();
  } else if (kind == LossKind::kSquared) {
    loss = d.square().mean();
  } else {
    loss = (d.square().mean({1, 2, 3}) / kLogFloor).log1p().mean();
  }
  loss.backward();
  return loss.item<double>();
}

double Run::own_gradient(const std::vector<FoldedLayer>& folded, LossKind kind) {
  const StackGradient& gradient = patch_step_->run(to_plain(network_.architecture(), folded), patches_, kind);
  std::vector<torch::Tensor> outputs, gradients;
  const auto add = [&](const torch::Tensor& output, const std::vector<float>& values) {
    outputs.push_back(output);
    gradients.push_back(torch::tensor(values).view(output.sizes()));
  };
  for (size_t l = 0; l < folded.size(); ++l) {
    add(folded[l].weight, gradient.layers[l].weight);
    add(folded[l].bias, gradient.layers[l].bias);
    if (folded[l].slope.defined()) add(folded[l].slope, gradient.layers[l].slope);
  }
  torch::autograd::backward(outputs, gradients);
  return gradient.loss;
}

// The decay rises with the iteration, so that the random start is soon forgotten.
void Run::update_average(const std::vector<FoldedLayer>& folded) {
  const torch::NoGradGuard no_grad;
  const auto i = static_cast<double>(iteration_);
  const double share = 1.0 - std::min(options_.average_decay, i / (i + 10.0));
  for (size_t l = 0; l < folded.size(); ++l) {
    average_[l].weight.lerp_(folded[l].weight, share);
    average_[l].bias.lerp_(folded[l].bias, share);
    if (average_[l].slope.defined()) average_[l].slope.lerp_(folded[l].slope, share);
  }
}

Checkpoint Run::snapshot() const {
  Checkpoint c;
  c.texts["architecture"] = options_.architecture;
  c.texts["options"] = fingerprint(options_);
  c.texts["iteration"] = std::to_string(iteration_);
  c.texts["random"] = std::to_string(random_.state());
  c.texts["optimizer_steps"] = std::to_string(optimizer_.steps());
  for (const NamedTensor& p : network_.parameters()) c.tensors["parameter." + p.name] = p.tensor;
  for (const NamedTensor& p : optimizer_.state()) c.tensors["optimizer." + p.name] = p.tensor;
  for (size_t l = 0; l < average_.size(); ++l) {
    const std::string prefix = "average." + std::to_string(l);
    c.tensors[prefix + ".weight"] = average_[l].weight;
    c.tensors[prefix + ".bias"] = average_[l].bias;
    if (average_[l].slope.defined()) c.tensors[prefix + ".slope"] = average_[l].slope;
  }
  return c;
}

Status copy_into(const Checkpoint& checkpoint, const std::string& name, torch::Tensor target) {
  const torch::NoGradGuard no_grad;
  COCO_ASSIGN(const torch::Tensor source, checkpoint.tensor(name));
  if (source.sizes() != target.sizes()) {
    return make_error(ErrorCode::kInvalidData, "the checkpoint's tensor '" + name + "' has another shape");
  }
  target.copy_(source);
  return {};
}

Result<uint64_t> read_number(const Checkpoint& checkpoint, const std::string& name) {
  COCO_ASSIGN(const std::string text, checkpoint.text(name));
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') {
    return make_error(ErrorCode::kInvalidData, "the checkpoint's entry '" + name + "' is not a number");
  }
  return value;
}

Status Run::restore(const Checkpoint& c) {
  COCO_ASSIGN(const std::string options, c.text("options"));
  if (options != fingerprint(options_)) {
    return make_error(ErrorCode::kInvalidArgument,
                      "'" + checkpoint_path_ +
                          "' was written with other options; give the same ones to resume. "
                          "It has " +
                          options);
  }
  COCO_ASSIGN(const uint64_t iteration, read_number(c, "iteration"));
  COCO_ASSIGN(const uint64_t random, read_number(c, "random"));
  COCO_ASSIGN(const uint64_t steps, read_number(c, "optimizer_steps"));
  for (const NamedTensor& p : network_.parameters()) COCO_TRY(copy_into(c, "parameter." + p.name, p.tensor));
  for (const NamedTensor& p : optimizer_.state()) COCO_TRY(copy_into(c, "optimizer." + p.name, p.tensor));
  for (size_t l = 0; l < average_.size(); ++l) {
    const std::string prefix = "average." + std::to_string(l);
    COCO_TRY(copy_into(c, prefix + ".weight", average_[l].weight));
    COCO_TRY(copy_into(c, prefix + ".bias", average_[l].bias));
    if (average_[l].slope.defined()) COCO_TRY(copy_into(c, prefix + ".slope", average_[l].slope));
  }
  iteration_ = static_cast<int64_t>(iteration);
  optimizer_.set_steps(static_cast<int64_t>(steps));
  random_.set_state(random);
  return {};
}

// Validations after the checkpoint will be done again.
Status Run::trim_log() const {
  std::ifstream in(log_path_);
  std::string kept, line;
  while (std::getline(in, line)) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_discarded() && entry.value("iteration", int64_t{0}) <= iteration_) kept += line + "\n";
  }
  return write_file_atomically(log_path_, {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()});
}

Status Run::resume() {
  COCO_ASSIGN(const Checkpoint checkpoint, load_checkpoint(checkpoint_path_));
  COCO_TRY(restore(checkpoint));
  started_at_ = iteration_;
  return trim_log();
}

Status Run::validate(double loss) {
  nlohmann::json entry = {{"iteration", iteration_},
                          {"loss", loss},
                          {"learning_rate", learning_rate_at(options_, iteration_)},
                          {"seconds", seconds_since(start_)}};
  if (!validation_.empty()) {
    COCO_ASSIGN(const Figures figures, evaluate(averaged(), validation_));
    entry["psnr_y"] = figures.psnr_y;
    entry["ssim_y"] = figures.ssim_y;
  }
  const std::string line = entry.dump();
  std::ofstream log(log_path_, std::ios::app);
  log << line << "\n" << std::flush;
  if (!log) return make_error(ErrorCode::kIo, "cannot write '" + log_path_ + "'");
  if (hooks_.log_line) hooks_.log_line(line);
  return {};
}

void Run::report(double loss) {
  if (!hooks_.progress || seconds_since(last_report_) < 1.0) return;
  last_report_ = Clock::now();
  Progress p{iteration_, options_.iterations, loss, learning_rate_at(options_, iteration_), 0, 0};
  p.per_second = static_cast<double>(iteration_ - started_at_) / seconds_since(start_);
  p.seconds_left = static_cast<double>(options_.iterations - iteration_) / std::max(p.per_second, 1e-9);
  hooks_.progress(p);
}

Status Run::loop() {
  double loss = 0;
  bool first = true;
  while (iteration_ < options_.iterations) {
    const double now = step();
    loss = first ? now : 0.98 * loss + 0.02 * now;
    first = false;
    const bool last = iteration_ == options_.iterations;
    const bool stopped = hooks_.stop && hooks_.stop->load();
    if (last || stopped || iteration_ % options_.checkpoint_every == 0) {
      COCO_TRY(save_checkpoint(snapshot(), checkpoint_path_));
    }
    if (last || iteration_ % options_.validate_every == 0) COCO_TRY(validate(loss));
    if (stopped && !last) {
      return make_error(ErrorCode::kCancelled, "stopped at iteration " + std::to_string(iteration_) +
                                                   "; the same command with --resume goes on");
    }
    report(loss);
  }
  return {};
}

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

}  // namespace

double learning_rate_at(const TrainOptions& options, int64_t iteration) {
  const auto i = static_cast<double>(iteration), n = static_cast<double>(options.iterations);
  const double rise = iteration < options.warmup ? (i + 1.0) / static_cast<double>(options.warmup) : 1.0;
  return options.learning_rate * rise * 0.5 * (1.0 + std::cos(3.141592653589793 * i / n));
}

Result<PlainNet> train(const TrainOptions& options, const std::vector<ImagePair>& images,
                       const std::vector<ImagePair>& validation, const TrainHooks& hooks) {
  COCO_TRY(check_options(options));
  COCO_ASSIGN(Architecture architecture, find_architecture(options.architecture));
  if (images.empty()) return make_error(ErrorCode::kInvalidArgument, "there are no images to train on");
  COCO_TRY(check_patch_size(images, options.patch));
  std::error_code failure;
  fs::create_directories(options.out, failure);
  if (failure) return make_error(ErrorCode::kIo, "cannot make folder '" + options.out + "': " + failure.message());
  try {
    Run run(options, std::move(architecture), images, validation, hooks);
    if (options.resume) {
      COCO_TRY(run.resume());
    } else {
      fs::remove(fs::path(options.out) / "log.jsonl", failure);
    }
    COCO_TRY(run.loop());
    return run.averaged();
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("training failed: ") + e.what());
  }
}

void set_threads(int count) { at::set_num_threads(count); }

Result<PlainNet> load_trained(const std::string& checkpoint_path) {
  COCO_ASSIGN(const Checkpoint checkpoint, load_checkpoint(checkpoint_path));
  COCO_ASSIGN(const std::string name, checkpoint.text("architecture"));
  COCO_ASSIGN(const Architecture architecture, find_architecture(name));
  std::vector<FoldedLayer> layers;
  for (size_t l = 0; l < architecture.layers.size(); ++l) {
    const LayerSpec spec = architecture.layers[l];
    const std::string prefix = "average." + std::to_string(l);
    FoldedLayer layer{torch::empty({spec.out, spec.in, 3, 3}), torch::empty({spec.out}), {}};
    COCO_TRY(copy_into(checkpoint, prefix + ".weight", layer.weight));
    COCO_TRY(copy_into(checkpoint, prefix + ".bias", layer.bias));
    if (spec.prelu) {
      layer.slope = torch::empty({spec.out});
      COCO_TRY(copy_into(checkpoint, prefix + ".slope", layer.slope));
    }
    layers.push_back(std::move(layer));
  }
  return to_plain(architecture, layers);
}

}  // namespace coco::tune
