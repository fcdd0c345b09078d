// Purpose: everything that decides how a network is pruned, free of libtorch.
#pragma once

#include <cstdint>
#include <string>

#include "tune/prune/plan.h"

namespace coco::tune {

struct AdmmOptions {
  int64_t iterations = 2000;  ///< with the penalty; the masks come after them
  int64_t interval = 100;     ///< between updates of targets and multipliers
  double rho = 1e-3;          ///< weight of the penalty at first, in units of the loss
  double rho_end = 1e-1;      ///< and at last; it grows by the same factor at every update
};

struct GradualOptions {
  int64_t begin = 0, end = 2000;  ///< steps at which rates start and stop to fall
  int64_t interval = 100;         ///< between changes of the masks
};

enum class PruneMethod : uint8_t { kAdmm, kGradual };

struct PruneOptions {
  PruneRequest request;
  PruneMethod method = PruneMethod::kGradual;
  AdmmOptions admm;
  GradualOptions gradual;
};

/// kInvalidArgument names the number that makes no sense, for a run of so many iterations: some must be left for
/// retraining with the masks.
Status check_options(const PruneOptions& options, int64_t iterations);

/// All of it as JSON, for a checkpoint's subject.
std::string to_json(const PrunePlan& plan, const PruneOptions& options);

}  // namespace coco::tune
