// Purpose: everything that decides how a network becomes integer by training.
#pragma once

#include "coco/compile.h"
#include "tune/options.h"

namespace coco::tune {

struct QuantTraining {
  bool learn_gains = false;   ///< steps of weights, by output channel; else those chosen before training stay
  bool learn_ranges = false;  ///< steps of activations; else the calibrated ones stay
};

struct QuantizeSettings {
  TrainOptions train;
  QuantTraining training;
  double distill = 0;  ///< share of the f32 network's output in what is trained towards, 0..1
  /// kInt8: every convolution that can be. kAuto: those that lose most stay f32 until `max_loss_db` is met before
  /// training; they are trained as well.
  Precision precision = Precision::kInt8;
  double max_loss_db = 0.3;
};

}  // namespace coco::tune
