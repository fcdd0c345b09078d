// Purpose: pruning a trained network: from a dense ONNX model to one with zeros in the engine's shapes, retrained.
// Free of libtorch.
#pragma once

#include <string>
#include <vector>

#include "tune/prune/options.h"
#include "tune/trainer.h"

namespace coco::tune {

struct PruneOutcome {
  std::string at_once;  ///< ONNX: the dense weights projected, without any training
  std::string onnx;     ///< pruned and retrained
  std::vector<LayerSparsity> layers;
};

/// Trains `onnx` with the options' constraint; TrainOptions as in train(), resumable like it. An impossible plan is
/// refused before the first step.
Result<PruneOutcome> prune(const TrainOptions& options, const PruneOptions& pruning, const std::string& onnx,
                           const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                           const TrainHooks& hooks);

}  // namespace coco::tune
