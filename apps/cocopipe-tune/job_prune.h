// Purpose: what a job file says about pruning. docs/tune.md is its reference.
#pragma once

#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/status.h"
#include "tune/prune/options.h"

namespace coco::jobs {

/// The keys of one shape: shape, block, keep, per, centre, blocks. What is absent stays as it is in `spec`.
Status read_shape(const JobSource& source, const loader::YamlNode& node, const std::string& what,
                  tune::PruneSpec& spec);

/// The job's `prune:`.
Status read_pruning(const JobSource& source, const loader::YamlNode& node, tune::PruneOptions& options);

}  // namespace coco::jobs
