// Purpose: the search for the compression that meets an objective: one choice for every module of a plain network,
// blocks of pruned layers pre-trained once for all configurations, short fine-tuning of the most promising ones.
// Free of libtorch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tune/explore/objective.h"
#include "tune/explore/search_space.h"
#include "tune/trainer.h"

namespace coco::tune {

struct ExploreOptions {
  TrainOptions train;                ///< of all runs but their lengths; `out` is the folder of the search
  int64_t block_iterations = 500;    ///< pre-training of a group of blocks
  int64_t tuning_iterations = 1000;  ///< fine-tuning of a configuration
  std::vector<ExploreModule> modules;
  size_t most = 256;  ///< configurations looked at; drawn at random when there are more
  int patterns = kMaxPatterns;
  int passes = 3;  ///< over all configurations when they are measured; the fastest one counts
  Objective objective;
  bool blocks = true;  ///< off: every configuration is fine-tuned from the pruned dense weights, for comparison
};

/// Milliseconds that the engine takes at least for a serialised ONNX model on the device that matters.
using MeasureTime = std::function<Result<double>(const std::string& onnx)>;

/// Where a search is: what it does, and its steps as in training. The time left is that of all parts of the phase; a
/// learning rate of 0 says that nothing is trained.
using SearchProgress = std::function<void(const std::string& phase, const Progress& progress)>;

struct ExploreHooks {
  SearchProgress progress;                           ///< called about once a second; may be empty
  std::function<void(const std::string&)> log_line;  ///< a finished step, as one JSON object; may be empty
  const std::atomic<bool>* stop = nullptr;           ///< set: what is done is kept, and kCancelled returned
};

struct TriedConfiguration {
  Configuration choices;
  double milliseconds = 0, psnr_start = 0, psnr = 0;  ///< before and after fine-tuning
};

struct ExploreOutcome {
  std::vector<TriedConfiguration> tried;  ///< in the order of the search
  bool found = false;                     ///< the objective is met, by `onnx`
  std::string onnx, verdict;
  size_t configurations = 0, blocks = 0, groups = 0;  ///< blocks pre-trained, in so many runs
  double seconds_measuring = 0, seconds_blocks = 0, seconds_tuning = 0;
};

/// `onnx` is the dense network, a plain stack as cocopipe-tune exports it. What is done is kept in `out`: the same call
/// with train.resume takes it from there, to the same result. hooks.log_line gets a JSON object for each step of the
/// search; explore.jsonl in `out` has them all, and every candidate's time and what is expected of it.
Result<ExploreOutcome> explore(const std::string& onnx, const ExploreOptions& options,
                               const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                               const MeasureTime& measure, const ExploreHooks& hooks);

}  // namespace coco::tune
