// Purpose: what a job file says about exploring. docs/tune.md is its reference.
#pragma once

#include "apps/cocopipe-tune/engine_time.h"
#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/status.h"
#include "tune/explore/explore.h"

namespace coco::jobs {

/// The job's `explore:`.
Status read_exploring(const JobSource& source, const loader::YamlNode& node, tune::ExploreOptions& options,
                      EngineTimeOptions& time);

}  // namespace coco::jobs
