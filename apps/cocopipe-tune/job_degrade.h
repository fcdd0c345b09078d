// Purpose: `data.degrade:` of a job file: low resolution as compressed streams deliver it. docs/tune.md is its
// reference.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/status.h"
#include "tune/dataset.h"

namespace coco::jobs {

struct DegradeJob {
  using Range = std::array<double, 2>;
  Range crf = {18, 34}, noise = {0, 2}, blur = {0, 0.4};  ///< drawn evenly for each copy
  double clean = 0.1;                                     ///< share of the copies that stay as they were
  int copies = 3;                                         ///< of each picture
  double measured_crf = 28;                               ///< of validation images and benchmarks
};

/// Reads the key `degrade` of `data`; absent, it leaves `degrade` empty.
void read_degrade(const JobSource& source, MapReader& data, std::optional<DegradeJob>& degrade);

/// Gives every picture its degraded copies. The same seed and pictures give the same copies.
Status degrade_training(const DegradeJob& job, uint64_t seed, std::vector<tune::ImagePair>& images);

/// Puts H.264 of that crf in the place of every low resolution; the same as `cocopipe eval sr --crf` does.
Status degrade_measured(double crf, std::vector<tune::ImagePair>& images);

}  // namespace coco::jobs
