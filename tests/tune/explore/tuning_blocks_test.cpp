#include "tune/explore/tuning_blocks.h"

#include <algorithm>
#include <set>

#include "catch.h"

using namespace coco::tune;

namespace {

/// Blocks in assembly order must spell the configuration.
void check_assembly(const std::vector<Configuration>& configurations, const BlockBag& bag) {
  REQUIRE(bag.assembly.size() == configurations.size());
  std::vector<size_t> used(bag.blocks.size());
  for (size_t c = 0; c < configurations.size(); ++c) {
    Configuration spelt;
    for (const size_t b : bag.assembly[c]) {
      ++used[b];
      REQUIRE(bag.blocks[b].first == static_cast<int>(spelt.size()));
      spelt.insert(spelt.end(), bag.blocks[b].choices.begin(), bag.blocks[b].choices.end());
    }
    REQUIRE(spelt == configurations[c]);
  }
  for (size_t b = 0; b < used.size(); ++b) {
    REQUIRE(used[b] == bag.blocks[b].frequency);
    REQUIRE(used[b] >= 1);
    if (bag.blocks[b].choices.size() > 1) REQUIRE(used[b] >= 2);
  }
}

const TuningBlock* find(const BlockBag& bag, int first, const std::vector<int>& choices) {
  const auto it = std::find_if(bag.blocks.begin(), bag.blocks.end(),
                               [&](const TuningBlock& b) { return b.first == first && b.choices == choices; });
  return it == bag.blocks.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("units that always stand together are one block") {
  const std::vector<Configuration> all = {{1, 1, 1, 0}, {1, 1, 1, 2}, {0, 2, 2, 1}};
  const BlockBag bag = find_tuning_blocks(all);
  check_assembly(all, bag);
  REQUIRE(find(bag, 0, {1, 1, 1}) != nullptr);
  CHECK(find(bag, 0, {1, 1, 1})->frequency == 2);
  CHECK(find(bag, 0, {1, 1}) == nullptr);
  CHECK(find(bag, 0, {0}) != nullptr);
  CHECK(bag.assembly[0].size() == 2);
}

TEST_CASE("a longer rule gives way to a shorter one that serves more configurations") {
  const std::vector<Configuration> all = {{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 2, 0}, {1, 1, 0, 2}};
  const BlockBag bag = find_tuning_blocks({all[0], all[2], all[3], {1, 1, 1, 2}});
  REQUIRE(find(bag, 0, {1, 1}) != nullptr);
  CHECK(find(bag, 0, {1, 1})->frequency == 4);
  CHECK(find(bag, 0, {1, 1, 1}) == nullptr);
}

TEST_CASE("the same choices of other modules are other units") {
  const std::vector<Configuration> all = {{1, 2, 0, 0}, {0, 0, 1, 2}};
  const BlockBag bag = find_tuning_blocks(all);
  check_assembly(all, bag);
  CHECK(bag.blocks.size() == 8);
  for (const TuningBlock& block : bag.blocks) CHECK(block.choices.size() == 1);
}

TEST_CASE("no block reaches from one configuration into the next") {
  const std::vector<Configuration> all = {{0, 1}, {0, 1}, {0, 1}};
  const BlockBag bag = find_tuning_blocks(all);
  check_assembly(all, bag);
  CHECK(bag.blocks.size() == 1);
  CHECK(bag.blocks[0].frequency == 3);
}

TEST_CASE("one configuration alone is made of single units, none of nothing") {
  const BlockBag bag = find_tuning_blocks({{2, 0, 1}});
  check_assembly({{2, 0, 1}}, bag);
  CHECK(bag.blocks.size() == 3);
  CHECK(find_tuning_blocks({}).blocks.empty());
}

TEST_CASE("every configuration is assembled from the blocks, whatever the choices are") {
  Random random(23);
  for (int round = 0; round < 300; ++round) {
    std::vector<int> choices(1 + random.below(9));
    for (int& c : choices) c = static_cast<int>(1 + random.below(4));
    const auto all = make_configurations(choices, 1 + random.below(60), random);
    const BlockBag bag = find_tuning_blocks(all);
    check_assembly(all, bag);
    check_assembly(all, single_unit_blocks(all));
    for (const auto& assembly : single_unit_blocks(all).assembly) CHECK(assembly.size() == choices.size());
  }
}

TEST_CASE("groups share no module, hold every block once and are as few as can be") {
  Random random(29);
  for (int round = 0; round < 300; ++round) {
    std::vector<TuningBlock> blocks(random.below(30));
    for (TuningBlock& b : blocks) {
      b.first = static_cast<int>(random.below(10));
      b.choices.resize(1 + random.below(5));
    }
    const auto groups = pack_blocks(blocks);
    std::set<size_t> seen;
    for (const auto& group : groups) {
      std::set<int> modules;
      for (const size_t b : group) {
        CHECK(seen.insert(b).second);
        for (int m = blocks[b].first; m < blocks[b].end(); ++m) REQUIRE(modules.insert(m).second);
      }
    }
    CHECK(seen.size() == blocks.size());
    size_t most = 0;
    for (int m = 0; m < 16; ++m) {
      most = std::max<size_t>(most, std::count_if(blocks.begin(), blocks.end(),
                                                  [m](const TuningBlock& b) { return b.first <= m && m < b.end(); }));
    }
    CHECK(groups.size() == most);
  }
}
