// Purpose: what a training run learns and how it is judged: the part of a run that knows its data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tune/random.h"
#include "tune/trainable.h"

namespace coco::tune {

class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  /// The mean loss over one batch, which only `random` and `iteration` (from 0) choose; gradients[i] becomes that of
  /// values[i], with its shape.
  virtual double step(const std::vector<NamedTensor>& values, int64_t iteration, Random& random,
                      std::vector<torch::Tensor>& gradients) = 0;

  /// What these numbers achieve on what was held out, by name for the log; nothing where nothing was held out.
  virtual Result<std::vector<std::pair<std::string, double>>> validate(const std::vector<NamedTensor>& values) = 0;
};

}  // namespace coco::tune
