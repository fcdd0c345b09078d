#include "tune/prune/patterns.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

namespace coco::tune {
namespace {

double energy_of(Pattern pattern, const BlockEnergy& block) {
  double sum = 0;
  for (size_t p = 0; p < block.size(); ++p) {
    if ((pattern >> p & 1) != 0) sum += block[p];
  }
  return sum;
}

Pattern best_of(const std::vector<Pattern>& patterns, const BlockEnergy& block) {
  return *std::max_element(patterns.begin(), patterns.end(),
                           [&](Pattern a, Pattern b) { return energy_of(a, block) < energy_of(b, block); });
}

/// What each candidate keeps of each block, and sets of candidates by number.
class Cover {
 public:
  Cover(const std::vector<BlockEnergy>& blocks, const std::vector<Pattern>& candidates) : blocks_(blocks.size()) {
    for (const Pattern p : candidates) {
      auto& row = energies_.emplace_back();
      for (const BlockEnergy& block : blocks) row.push_back(energy_of(p, block));
    }
  }

  /// Grows the set to `count`, each time by the candidate that adds most.
  void grow(std::vector<size_t>& chosen, size_t count) const {
    std::vector<double> best = best_by(chosen, chosen.size());
    while (chosen.size() < count) {
      chosen.push_back(addition(best).first);
      best = best_by(chosen, chosen.size());
    }
  }

  /// Exchanges members for as long as that keeps more; what is kept in the end.
  double exchange(std::vector<size_t>& chosen) const {
    double kept = sum(best_by(chosen, chosen.size()));
    for (bool better = true; better;) {
      better = false;
      for (size_t i = 0; i < chosen.size(); ++i) {
        const auto [candidate, with] = addition(best_by(chosen, i));
        if (with <= kept * (1 + 1e-12)) continue;
        chosen[i] = candidate;
        kept = with;
        better = true;
      }
    }
    return kept;
  }

 private:
  /// By block: what the set keeps, member number `without` left out.
  std::vector<double> best_by(const std::vector<size_t>& chosen, size_t without) const {
    std::vector<double> best(blocks_);
    for (size_t i = 0; i < chosen.size(); ++i) {
      for (size_t b = 0; b < blocks_ && i != without; ++b) best[b] = std::max(best[b], energies_[chosen[i]][b]);
    }
    return best;
  }
  static double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
  /// The candidate that keeps most beside a set, and what they keep together.
  std::pair<size_t, double> addition(const std::vector<double>& best) const {
    std::pair<size_t, double> most{0, -1};
    for (size_t c = 0; c < energies_.size(); ++c) {
      double kept = 0;
      for (size_t b = 0; b < blocks_; ++b) kept += std::max(best[b], energies_[c][b]);
      if (kept > most.second) most = {c, kept};
    }
    return most;
  }

  size_t blocks_;
  std::vector<std::vector<double>> energies_;
};

}  // namespace

std::vector<Pattern> all_patterns(int positions) {
  std::vector<Pattern> all;
  for (Pattern p = 0; p < 1u << 9; ++p) {
    if ((p & kCentre) != 0 && std::popcount(p) == positions) all.push_back(p);
  }
  return all;
}

double kept_energy(const std::vector<BlockEnergy>& blocks, const std::vector<Pattern>& patterns) {
  return std::accumulate(blocks.begin(), blocks.end(), 0.0, [&](double sum, const BlockEnergy& block) {
    return sum + (patterns.empty() ? 0.0 : energy_of(best_of(patterns, block), block));
  });
}

std::vector<Pattern> learn_patterns(const std::vector<BlockEnergy>& blocks, int positions, int count) {
  const std::vector<Pattern> candidates = all_patterns(positions);
  std::set<Pattern> own;
  for (const BlockEnergy& block : blocks) own.insert(best_of(candidates, block));
  if (own.size() <= static_cast<size_t>(count)) return {own.begin(), own.end()};
  const Cover cover(blocks, candidates);
  std::vector<size_t> best;
  double most = -1;
  for (size_t first = 0; first < candidates.size(); ++first) {
    std::vector<size_t> chosen = {first};
    cover.grow(chosen, static_cast<size_t>(count));
    const double kept = cover.exchange(chosen);
    if (kept > most) most = kept, best = chosen;
  }
  std::sort(best.begin(), best.end());
  std::vector<Pattern> patterns;
  for (const size_t c : best) patterns.push_back(candidates[c]);
  return patterns;
}

std::vector<BlockEnergy> block_energies(std::span<const float> weights, const KernelShape& shape, int block_outputs) {
  const BlockGrid grid(shape, block_outputs);
  COCO_CHECK(grid.positions() == 9, "patterns are for 3x3 kernels");
  const std::vector<double> energies = grid.energies(weights);
  const double total = std::accumulate(energies.begin(), energies.end(), 0.0);
  std::vector<BlockEnergy> blocks(grid.blocks());
  for (size_t e = 0; e < energies.size() && total > 0; ++e) blocks[e / 9][e % 9] = energies[e] / total;
  return blocks;
}

}  // namespace coco::tune
