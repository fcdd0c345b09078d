#include "runtime/arena_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace coco::runtime {
namespace {

struct Block {
  size_t begin, end;
};

// Offset of the tightest gap between the taken blocks that holds `bytes`; behind them all when there is none.
size_t best_gap(std::vector<Block>& taken, size_t bytes) {
  std::sort(taken.begin(), taken.end(), [](const Block& a, const Block& b) { return a.begin < b.begin; });
  size_t best = 0, best_size = std::numeric_limits<size_t>::max(), end = 0;
  for (const Block& block : taken) {
    if (block.begin > end && block.begin - end >= bytes && block.begin - end < best_size) {
      best = end;
      best_size = block.begin - end;
    }
    end = std::max(end, block.end);
  }
  return best_size == std::numeric_limits<size_t>::max() ? end : best;
}

}  // namespace

ArenaPlan plan_arena(std::span<const LiveRange> ranges, size_t alignment) {
  std::vector<size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ranges[a].bytes > ranges[b].bytes; });
  ArenaPlan plan;
  plan.offsets.assign(ranges.size(), 0);
  const auto aligned = [&](size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
  std::vector<Block> taken;
  for (size_t placed = 0; placed < order.size(); ++placed) {
    const LiveRange& range = ranges[order[placed]];
    taken.clear();
    for (size_t i = 0; i < placed; ++i) {
      const LiveRange& other = ranges[order[i]];
      if (other.first > range.last || range.first > other.last) continue;
      const size_t offset = plan.offsets[order[i]];
      taken.push_back({offset, offset + aligned(other.bytes)});
    }
    const size_t offset = best_gap(taken, aligned(range.bytes));
    plan.offsets[order[placed]] = offset;
    plan.bytes = std::max(plan.bytes, offset + aligned(range.bytes));
  }
  return plan;
}

}  // namespace coco::runtime
