// Purpose: everything that changes while training, to a checkpoint and back.
#pragma once

#include <string>
#include <vector>

#include "tune/checkpoint.h"
#include "tune/optimizer.h"
#include "tune/random.h"
#include "tune/trainable.h"

namespace coco::tune {

/// Borrowed parts of a run.
struct TrainingState {
  const Trainable& network;
  const Constraint* constraint;  ///< may be null
  Optimizer& optimizer;
  const std::vector<NamedTensor>& average;
  Random& random;
  int64_t& iteration;
};

/// `subject` is everything that decides the numbers of the run besides its state.
Checkpoint take_snapshot(const TrainingState& state, const std::string& subject);

/// kInvalidArgument when the checkpoint is of another subject, kInvalidData when something is missing or has another
/// shape. `path` is for messages.
Status restore_snapshot(const Checkpoint& checkpoint, const std::string& subject, const std::string& path,
                        const TrainingState& state);

/// The averaged numbers of a checkpoint, written into `values`, which have their names and shapes.
Status read_average(const Checkpoint& checkpoint, const std::vector<NamedTensor>& values);

/// The parameters as they are, of a checkpoint that was taken of the same network.
Status read_parameters(const Checkpoint& checkpoint, const std::vector<NamedTensor>& parameters);

}  // namespace coco::tune
