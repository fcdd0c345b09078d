// Purpose: the training loop over any network and any constraint; trainer.h is the door for described networks.
#pragma once

#include <vector>

#include "tune/gradient.h"
#include "tune/trainable.h"
#include "tune/trainer.h"

namespace coco::tune {

/// What is trained, on what. Everything is borrowed until run_training returns.
struct TrainingRun {
  Trainable& network;
  Constraint* constraint = nullptr;     ///< may be null
  GradientSource* gradients = nullptr;  ///< null: options.loss of the network's output against the patches' targets
  const TrainOptions& options;
  /// A JSON object with all that the options do not say about network, constraint and data: a checkpoint is continued
  /// only with the same. Its "network" is what load_trained makes the network from.
  std::string subject;
  const std::vector<ImagePair>& images;
  const std::vector<ImagePair>& validation;
  const TrainHooks& hooks;
  Random random;                    ///< as the making of the network left it
  std::vector<NamedTensor> keep{};  ///< goes into every checkpoint, for load_trained
};

/// Each step: the deployed numbers, Constraint::begin_step and project, the gradients there, adjust, the chain rule
/// into the parameters, the optimizer, the average of the deployed (projected) numbers. With options.resume it goes on
/// from the checkpoint. Returns the averaged numbers, projected. May throw what libtorch throws.
Result<std::vector<NamedTensor>> run_training(TrainingRun run);

}  // namespace coco::tune
