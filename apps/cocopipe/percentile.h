// Purpose: percentiles of measured times.
#pragma once

#include <algorithm>
#include <vector>

namespace coco::cli {

/// `sorted` rises and is not empty; share 0..1; between two values by proportion.
inline double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - static_cast<double>(low));
}

}  // namespace coco::cli
