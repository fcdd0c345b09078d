// Purpose: how long the engine takes for every configuration of a search.
#pragma once

#include <vector>

#include "tune/explore/search_run.h"

namespace coco::tune {

/// Milliseconds by configuration: the fastest of options.passes passes over all of them, so that a machine that is busy
/// for a while does not count against a few. The dense weights pruned at once stand for a configuration: which weights
/// are left makes the time, not what they are. Times are kept in times.json: the same search must go the same way after
/// it was stopped.
Result<std::vector<double>> measure_candidates(const SearchRun& run, const std::vector<Configuration>& configurations,
                                               const MeasureTime& measure);

}  // namespace coco::tune
