// Purpose: the files of the tuning cache: one JSON object per job, found by the hash of its key.
#pragma once

#include <optional>
#include <string>

#include "coco/tuning.h"

namespace coco::vision {

/// What an entry holds for. Any difference makes it another entry.
struct TuningKey {
  std::string machine;  ///< CPU, caches, kernel target, version of this code
  std::string program;  ///< SHA-256; "" for resampling without a network
  std::string job;      ///< sizes, samples, filter, threads, reuse
  bool operator==(const TuningKey&) const = default;
};

/// Of this machine.
TuningKey tuning_key(const Model* model, const UpscalerConfig& config);

/// Bounds of what is read, and of what is tried: a plan outside them is damage.
inline constexpr int kMinTunedStrip = 32, kMaxTunedStrip = 4096, kMinTunedBand = 16, kMaxTunedBand = 16384;
inline constexpr size_t kMaxTuningFile = 16 * 1024;

/// "" when there is no cache.
std::string tuning_folder();
std::string tuning_file(const std::string& folder, const TuningKey& key);
/// nullopt when there is no such entry, or it is damaged, or it is another key's.
std::optional<TunedPlan> read_tuning(const std::string& folder, const TuningKey& key);
/// Makes the folder where it is missing.
Status write_tuning(const std::string& folder, const TuningKey& key, const TuningResult& result);

}  // namespace coco::vision
