// Purpose: the parts of a job file that several kinds of jobs have.
#pragma once

#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/model.h"
#include "tune/options.h"

namespace coco::jobs {

/// Carries an inner mapping's error into the outer reader.
void finish_inner(MapReader& outer, MapReader& inner);

void read_schedule(const JobSource& source, MapReader& job, tune::TrainOptions& options);
void read_optimizer(const JobSource& source, MapReader& job, tune::OptimizerOptions& options);
void read_card(const JobSource& source, MapReader& job, ModelCard& card);

}  // namespace coco::jobs
