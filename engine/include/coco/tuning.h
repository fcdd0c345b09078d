// Purpose: finds by measurement how an Upscaler should cut its pictures on this machine, and remembers it.
// Ownership: values; the memory is one small file per job in the user's cache folder.
// Threads: any thread, concurrently; two writers of one entry leave one complete file.
// Failure: a damaged, foreign or unreadable entry counts as none; a folder that cannot be written costs one log line.
#pragma once

#include <memory>
#include <string>

#include "coco/export.h"
#include "coco/model.h"
#include "coco/status.h"
#include "coco/vision.h"

namespace coco::vision {

/// What tuning chooses: SessionOptions of the same names. Neither changes a single byte of a result.
struct TunedPlan {
  int strip_width = 0;  ///< 0: the planner's own choice
  int band_height = 0;  ///< 0: the planner's own choice
  bool operator==(const TunedPlan&) const = default;
};

struct TuningResult {
  TunedPlan plan;
  double default_ms = 0, tuned_ms = 0;  ///< fastest frame of either, measured in turns; equal when the default stays
  int candidates = 0, frames = 0;       ///< plans tried and frames run
  std::string file;                     ///< the cache entry; "" when it could not be written
};

/// Measures plans for this job on synthetic frames, about `seconds` long, and writes the best into the cache. The
/// planner's own choice stays unless another is clearly faster. config.session's strip_width and band_height are
/// ignored. Upscalers made from then on, by any program of this user, take it up (UpscalerConfig::tuning).
COCO_API Result<TuningResult> tune(std::shared_ptr<const Model> model, const UpscalerConfig& config,
                                   double seconds = 2);

struct TuningCache {
  std::string folder;  ///< "" when there is none: nothing is read or written
  int entries = 0;     ///< files in it
  int fitting = 0;     ///< those of this machine and version
};
/// COCO_TUNING_DIR when set (empty: no cache), else cocopipe/tuning in XDG_CACHE_HOME or ~/.cache.
COCO_API TuningCache tuning_cache();

}  // namespace coco::vision
