// Purpose: what a job file of `quantize` says. docs/tune.md is its reference.
#pragma once

#include <string>

#include "apps/cocopipe-tune/job.h"
#include "coco/model.h"
#include "tune/qat/quantize_options.h"

namespace coco::jobs {

struct QuantizeJob {
  std::string model;  ///< ONNX file
  TrainJob train;     ///< without a network
  tune::QuantizeSettings settings;
  ModelCard card;
};

Result<QuantizeJob> read_quantize_job(const JobTree& tree);

}  // namespace coco::jobs
