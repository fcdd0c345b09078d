// Purpose: training from a description of the network: patches, loss, schedule, averaged weights, validation log,
// resumable checkpoints. Free of libtorch.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "coco/status.h"
#include "tune/architecture.h"
#include "tune/dataset.h"
#include "tune/options.h"

namespace coco::tune {

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

/// What is trained: the described architecture, or any model the importer takes.
struct NetworkSource {
  Architecture architecture;
  Branches branches = Branches::kPlain;
  /// A serialised ONNX model. kStart: its numbers are the architecture's first ones. kWhole: it is what is trained, the
  /// architecture is only its name.
  enum class Init { kNone, kStart, kWhole };
  Init init = Init::kNone;
  std::string model{};
};

/// The scale of the network, and what its input's sides must be multiples of.
Result<PairOptions> pairs_for(const NetworkSource& source);

/// Trains on `images`, validates on `validation` (may be empty). With resume it goes on from the checkpoint in `out`,
/// which must have been written with the same options; the result is bit-identical to an uninterrupted run with one
/// thread. Returns the averaged network, serialised as ONNX. An architecture that the engine cannot compile is refused
/// before training starts; a loss that is not finite any more ends it and leaves the last checkpoint as it was.
Result<std::string> train(const TrainOptions& options, const NetworkSource& source,
                          const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                          const TrainHooks& hooks);

/// The averaged network in a checkpoint written by train(), serialised as ONNX.
Result<std::string> load_trained(const std::string& checkpoint_path);

/// Threads of libtorch, for the whole process.
void set_threads(int count);

}  // namespace coco::tune
