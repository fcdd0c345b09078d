#include "tune/prune/patterns.h"

#include <bit>

#include "catch.h"
#include "tune/random.h"

using namespace coco::tune;

namespace {

std::vector<BlockEnergy> random_blocks(size_t count, Random& random) {
  std::vector<BlockEnergy> blocks(count);
  for (BlockEnergy& block : blocks) {
    for (double& e : block) e = random.uniform() * random.uniform();
  }
  return blocks;
}

/// The most that `count` of the candidates keep, by trying all sets.
double most(const std::vector<BlockEnergy>& blocks, const std::vector<Pattern>& candidates, int count,
            std::vector<Pattern>& chosen, size_t from) {
  if (count == 0) return kept_energy(blocks, chosen);
  double best = 0;
  for (size_t i = from; i < candidates.size(); ++i) {
    chosen.push_back(candidates[i]);
    best = std::max(best, most(blocks, candidates, count - 1, chosen, i + 1));
    chosen.pop_back();
  }
  return best;
}

}  // namespace

TEST_CASE("patterns hold the centre and so many positions") {
  CHECK(all_patterns(4).size() == 56);
  CHECK(all_patterns(1) == std::vector<Pattern>{kCentre});
  for (const Pattern p : all_patterns(4)) {
    CHECK((p & kCentre) != 0);
    CHECK(std::popcount(p) == 4);
  }
}

TEST_CASE("learnt patterns keep what the best set of that size keeps, or nearly so") {
  Random random(5);
  double sum = 0, best = 0;
  for (int round = 0; round < 12; ++round) {
    const auto blocks = random_blocks(20, random);
    const auto learnt = learn_patterns(blocks, 4, 2);
    REQUIRE(learnt.size() == 2);
    std::vector<Pattern> chosen;
    const double optimum = most(blocks, all_patterns(4), 2, chosen, 0);
    CHECK(kept_energy(blocks, learnt) >= 0.97 * optimum);
    CHECK(kept_energy(blocks, learnt) <= optimum * (1 + 1e-12));
    sum += kept_energy(blocks, learnt);
    best += optimum;
  }
  CHECK(sum > 0.995 * best);
}

TEST_CASE("more patterns never keep less, and all of them keep what free choice keeps") {
  Random random(6);
  const auto blocks = random_blocks(60, random);
  double before = 0;
  for (int count = 1; count <= kMaxPatterns; ++count) {
    const auto learnt = learn_patterns(blocks, 4, count);
    CHECK(learnt.size() == static_cast<size_t>(count));
    CHECK(kept_energy(blocks, learnt) >= before - 1e-9);
    before = kept_energy(blocks, learnt);
  }
  CHECK(before < kept_energy(blocks, all_patterns(4)));
  const auto few = random_blocks(6, random);
  CHECK(kept_energy(few, learn_patterns(few, 4, 8)) == Approx(kept_energy(few, all_patterns(4))));
}

TEST_CASE("planted patterns are found") {
  Random random(7);
  const auto all = all_patterns(4);
  const std::vector<Pattern> planted = {all[3], all[20], all[41]};
  std::vector<BlockEnergy> blocks;
  for (int b = 0; b < 50; ++b) {
    BlockEnergy block{};
    for (size_t p = 0; p < 9; ++p) {
      block[p] = 0.01 * random.uniform() + ((planted[static_cast<size_t>(b % 3)] >> p & 1) ? 1.0 : 0);
    }
    blocks.push_back(block);
  }
  CHECK(learn_patterns(blocks, 4, 3) == planted);
}
