// Purpose: everything that decides a training run.
#pragma once

#include <cstdint>
#include <string>

namespace coco::tune {

/// kPlain trains the 3x3 kernels directly. kRich adds expand-and-squeeze (1x1 then 3x3), 1x1, identity, Sobel and
/// Laplacian branches. Only the folded layer has a bias: a branch bias would be that one again.
enum class Branches { kPlain, kRich };

/// SOAP is Adam in the eigenbasis of Shampoo's factors.
enum class OptimizerKind { kAdam, kSoap };

/// Mean absolute error, mean squared error, or the mean over patches of log(1 + mse / kLogFloor), which weighs a patch
/// as the mean PSNR of pictures does.
enum class LossKind { kAbsolute, kSquared, kLogSquared };
inline constexpr double kLogFloor = 5e-5;

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSoap;
  double beta1 = 0.95, beta2 = 0.99;  ///< decay of the first and second moment
  double beta_factors = 0.99;         ///< decay of the factors
  double epsilon = 1e-8;
  int refresh = 10;  ///< steps between updates of the eigenbasis
};

struct TrainOptions {
  std::string out;  ///< folder for checkpoint.pt and log.jsonl, made when missing
  uint64_t seed = 1;
  int64_t iterations = 20000;
  int batch = 16, patch = 48;  ///< patches per step, LR pixels a side
  double learning_rate = 2e-3;
  int64_t warmup = 200;  ///< steps of linear rise before the cosine fall
  LossKind loss = LossKind::kAbsolute, last_loss = LossKind::kSquared;
  double last_share = 0.3;       ///< the last part of the run minimises last_loss, the first part loss
  double average_decay = 0.999;  ///< of the averaged weights, which are what is evaluated and exported
  OptimizerOptions optimizer;
  bool portable = false;  ///< gradients from libtorch even where the processor's own kernels serve
  int64_t validate_every = 1000, checkpoint_every = 500;
  bool resume = false;
  bool cuda = false;  ///< on the first CUDA device; not the same numbers every time
};

/// Linear warm-up, then a cosine from the full rate to zero.
double learning_rate_at(const TrainOptions& options, int64_t iteration);

LossKind loss_at(const TrainOptions& options, int64_t iteration);

}  // namespace coco::tune
