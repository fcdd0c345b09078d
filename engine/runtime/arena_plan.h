// Purpose: places buffers of known lifetimes in one piece of memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace coco::runtime {

/// A buffer in use during the steps [first, last].
struct LiveRange {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct ArenaPlan {
  std::vector<size_t> offsets;  ///< one per range, multiples of the alignment
  size_t bytes = 0;
};

/// Greedy best fit, largest buffers first: ranges that share a step never share a byte.
ArenaPlan plan_arena(std::span<const LiveRange> ranges, size_t alignment);

}  // namespace coco::runtime
