// Purpose: the training loop over any network and any constraint; trainer.h is the door for described networks.
#pragma once

#include <vector>

#include "tune/trainable.h"
#include "tune/trainer.h"
#include "tune/training_task.h"

namespace coco::tune {

/// What is trained, on what. Everything is borrowed until run_training returns.
struct TrainingRun {
  Trainable& network;
  Constraint* constraint;  ///< may be null
  TrainingTask& task;
  const TrainOptions& options;
  /// A JSON object with all that the options do not say about network, constraint and data: a checkpoint is continued
  /// only with the same. Its "network" is what load_trained makes the network from.
  std::string subject;
  const TrainHooks& hooks;
  Random random;                    ///< as the making of the network left it
  std::vector<NamedTensor> keep{};  ///< goes into every checkpoint, for load_trained
};

/// Each step: the deployed numbers, Constraint::begin_step and project, the gradients there, adjust, the chain rule
/// into the parameters, the optimizer, the average of the deployed (projected) numbers. With options.resume it goes on
/// from the checkpoint. Returns the averaged numbers, projected. May throw what libtorch throws.
Result<std::vector<NamedTensor>> run_training(TrainingRun run);

}  // namespace coco::tune
