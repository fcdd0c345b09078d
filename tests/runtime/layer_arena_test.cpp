#include <algorithm>
#include <random>
#include <vector>

#include "catch.h"
#include "runtime/arena_plan.h"

using coco::runtime::ArenaPlan;
using coco::runtime::LiveRange;
using coco::runtime::plan_arena;

namespace {

void require_sound(const std::vector<LiveRange>& ranges, const ArenaPlan& plan) {
  REQUIRE(plan.offsets.size() == ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    REQUIRE(plan.offsets[i] % 64 == 0);
    REQUIRE(plan.offsets[i] + ranges[i].bytes <= plan.bytes);
    for (size_t j = 0; j < i; ++j) {
      if (ranges[i].first > ranges[j].last || ranges[j].first > ranges[i].last) continue;
      const bool apart =
          plan.offsets[i] + ranges[i].bytes <= plan.offsets[j] || plan.offsets[j] + ranges[j].bytes <= plan.offsets[i];
      INFO(i << " and " << j);
      REQUIRE(apart);
    }
  }
}

// Bytes alive at the busiest step: no plan can do with less.
size_t peak(const std::vector<LiveRange>& ranges) {
  size_t most = 0;
  for (const LiveRange& at : ranges) {
    size_t alive = 0;
    for (const LiveRange& r : ranges) alive += r.first <= at.first && at.first <= r.last ? r.bytes : 0;
    most = std::max(most, alive);
  }
  return most;
}

size_t sum(const std::vector<LiveRange>& ranges) {
  size_t bytes = 0;
  for (const LiveRange& r : ranges) bytes += r.bytes;
  return bytes;
}

}  // namespace

TEST_CASE("buffers that live at the same time share no byte") {
  std::mt19937 engine(1);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<LiveRange> ranges;
    const int count = 1 + static_cast<int>(engine() % 80);
    for (int i = 0; i < count; ++i) {
      const int last = i + static_cast<int>(engine() % 5 == 0 ? engine() % 30 : engine() % 3);
      ranges.push_back({engine() % 10 == 0 ? 0 : engine() % 100000, i, last});
    }
    const ArenaPlan plan = plan_arena(ranges, 64);
    require_sound(ranges, plan);
    REQUIRE(plan.bytes >= peak(ranges));
  }
}

TEST_CASE("a chain needs two buffers however long it is") {
  std::vector<LiveRange> ranges;
  for (int i = 0; i < 100; ++i) ranges.push_back({6400, i, i + 1});
  const ArenaPlan plan = plan_arena(ranges, 64);
  require_sound(ranges, plan);
  REQUIRE(plan.bytes == 2 * 6400);
}

TEST_CASE("a network with skips needs little more than its busiest step") {
  // Down to a sixteenth and up again, each level's tensor kept for the way up.
  std::vector<LiveRange> ranges;
  constexpr int kLevels = 5, kSteps = 4 * kLevels;
  for (int level = 0; level < kLevels; ++level) {
    const size_t bytes = size_t{1} << (20 - level);
    ranges.push_back({bytes, 2 * level, 2 * level + 1});
    ranges.push_back({bytes, 2 * level + 1, kSteps - 2 * level - 1});
    ranges.push_back({bytes, kSteps - 2 * level - 2, kSteps - 2 * level - 1});
    ranges.push_back({bytes, kSteps - 2 * level - 1, kSteps - 2 * level});
  }
  const ArenaPlan plan = plan_arena(ranges, 64);
  require_sound(ranges, plan);
  REQUIRE(plan.bytes <= peak(ranges) * 5 / 4);
  REQUIRE(plan.bytes * 2 < sum(ranges));
}

TEST_CASE("nothing to place takes no memory") { REQUIRE(plan_arena({}, 64).bytes == 0); }
