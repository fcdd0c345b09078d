// Purpose: the training loop: patches, loss, schedule, averaged weights, validation log, resumable checkpoints.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "coco/status.h"
#include "tune/dataset.h"
#include "tune/network.h"
#include "tune/optimizer.h"

namespace coco::tune {

struct TrainOptions {
  std::string architecture = "sr2x-s";
  std::string out;  ///< folder for checkpoint.pt and log.jsonl, made when missing
  uint64_t seed = 1;
  int64_t iterations = 20000;
  int batch = 16, patch = 48;  ///< patches per step, LR pixels a side
  double learning_rate = 2e-3;
  int64_t warmup = 200;          ///< steps of linear rise before the cosine fall
  double mse_share = 0.3;        ///< the last part of the run minimises the squared error, the first the absolute one
  double average_decay = 0.999;  ///< of the averaged weights, which are what is evaluated and exported
  Branches branches = Branches::kPlain;
  OptimizerOptions optimizer;
  int64_t validate_every = 1000, checkpoint_every = 500;
  bool resume = false;
};

struct Progress {
  int64_t iteration = 0, iterations = 0;
  double loss = 0;  ///< mean over the last steps
  double learning_rate = 0;
  double per_second = 0, seconds_left = 0;
};

struct TrainHooks {
  std::function<void(const Progress&)> progress;     ///< called about once a second; may be empty
  std::function<void(const std::string&)> log_line;  ///< a finished validation, as one JSON object; may be empty
  const std::atomic<bool>* stop = nullptr;           ///< set: write a checkpoint and return kCancelled
};

/// Trains on `train`, validates on `validation` (may be empty). With resume it goes on from the checkpoint in `out`,
/// which must have been written with the same options; the result is bit-identical to an uninterrupted run with one
/// thread. Returns the averaged network.
Result<PlainNet> train(const TrainOptions& options, const std::vector<ImagePair>& images,
                       const std::vector<ImagePair>& validation, const TrainHooks& hooks);

/// The averaged network in a checkpoint written by train().
Result<PlainNet> load_trained(const std::string& checkpoint_path);

/// Linear warm-up, then a cosine from the full rate to zero.
double learning_rate_at(const TrainOptions& options, int64_t iteration);

}  // namespace coco::tune
