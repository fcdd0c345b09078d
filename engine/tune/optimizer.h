// Purpose: Adam, and SOAP: Adam in the eigenbasis of each parameter's second-moment factors (Shampoo's), which for nets
// of a few thousand weights costs next to nothing beside the convolutions.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "tune/options.h"
#include "tune/trainable.h"

namespace coco::tune {

class Optimizer {
 public:
  Optimizer(std::vector<NamedTensor> parameters, OptimizerOptions options);

  /// Applies the gradients and clears them; a parameter without one stays as it is.
  void step(double learning_rate);

  /// All state, for checkpoints; restore by writing to the tensors in place.
  std::vector<NamedTensor> state() const;
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  struct Slot {
    torch::Tensor parameter;
    int64_t rows = 1, columns = 1;
    torch::Tensor momentum, second;                      // both [rows, columns]
    torch::Tensor left, right, left_basis, right_basis;  // undefined for Adam
  };

  void update_factors(Slot& slot, const torch::Tensor& gradient);
  void refresh_basis(Slot& slot);
  torch::Tensor rotate(const Slot& slot, const torch::Tensor& matrix) const;
  torch::Tensor rotate_back(const Slot& slot, const torch::Tensor& matrix) const;

  OptimizerOptions options_;
  std::vector<std::string> names_;
  std::vector<Slot> slots_;
  int64_t steps_ = 0;
};

}  // namespace coco::tune
