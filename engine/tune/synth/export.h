// Purpose: synthetic pictures of heads as files: pictures, masks, labels, and a sheet to look at. Free of OpenCV.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "coco/status.h"

namespace coco::synth {

struct ExportOptions {
  std::string faces;        ///< The folder that holds `ict-facekit` and `makehuman`.
  std::string backgrounds;  ///< A folder of pictures; empty: procedural.
  std::string out;          ///< Pictures and labels; empty: none are written.
  std::string sheet;        ///< A PNG of the first pictures with their landmarks and masks; empty: none.
  int count = 64;
  uint64_t seed = 1;
  int size = 256;      ///< Of portraits, pixels a side.
  bool crowd = false;  ///< 640 x 480 pictures of up to eight people instead of portraits.
  int threads = 0;     ///< 0: as many as the process may use.
};

struct ExportOutcome {
  int pictures = 0;
  double seconds = 0;  ///< For rendering and writing, without loading.
  double seconds_loading = 0;
};

/// Writes OUT/000000.png ..., OUT/000000.face.png, .occluder.png and .mouth.png, and OUT/labels.jsonl: one JSON object
/// a picture, in order. The same seed gives the same files, whatever the number of threads. `progress` (may be empty)
/// is told how many are done, from any thread.
Result<ExportOutcome> export_pictures(const ExportOptions& options, const std::function<void(int done)>& progress,
                                      const std::atomic<bool>* stop = nullptr);

}  // namespace coco::synth
