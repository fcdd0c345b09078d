// Purpose: what a job file of `quantize` says. docs/tune.md is its reference.
#pragma once

#include <string>

#include "apps/cocopipe-tune/job.h"
#include "coco/model.h"
#include "tune/qat/quantize_options.h"

namespace coco::jobs {

struct QuantizeJob {
  TrainJob train;
  tune::QuantizeSettings settings;  ///< but `train`, which follows from the job and the arguments
  ModelCard card;
};

Result<QuantizeJob> read_quantize_job(const JobTree& tree);

}  // namespace coco::jobs
