#include "tune/prune/projection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace coco::tune {
namespace {

/// The `count` largest, of equal ones the first.
std::vector<size_t> largest(std::span<const double> values, size_t count) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto middle = order.begin() + static_cast<ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), middle, order.end(),
                    [&](size_t a, size_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  order.erase(middle, order.end());
  return order;
}

double energy_of(Pattern pattern, std::span<const double> block) {
  double sum = 0;
  for (size_t p = 0; p < block.size(); ++p) {
    if ((pattern >> p & 1) != 0) sum += block[p];
  }
  return sum;
}

/// The kept positions of one block and their energy.
struct Choice {
  std::vector<uint8_t> kept;
  double energy = 0;
};

Choice best_positions(std::span<const double> block, size_t count, const KernelShape& shape, bool centre) {
  std::vector<double> ranked(block.begin(), block.end());
  const auto middle =
      static_cast<size_t>(shape.gathered ? shape.height / 2 : shape.height / 2 * shape.width + shape.width / 2);
  if (centre) ranked[middle] = std::numeric_limits<double>::infinity();
  Choice choice{std::vector<uint8_t>(block.size()), 0};
  for (const size_t p : largest(ranked, count)) {
    choice.kept[p] = 1;
    choice.energy += block[p];
  }
  return choice;
}

Choice best_pattern(std::span<const double> block, std::span<const Pattern> patterns) {
  COCO_CHECK(!patterns.empty(), "a pattern layer needs patterns");
  const Pattern best = *std::max_element(patterns.begin(), patterns.end(), [&](Pattern a, Pattern b) {
    return energy_of(a, block) < energy_of(b, block);
  });
  Choice choice{std::vector<uint8_t>(block.size()), energy_of(best, block)};
  for (size_t p = 0; p < block.size(); ++p) choice.kept[p] = best >> p & 1;
  return choice;
}

}  // namespace

size_t kept_positions(double share, size_t positions) {
  const auto rounded = std::llround(share * static_cast<double>(positions));
  return std::clamp<size_t>(static_cast<size_t>(rounded), 1, positions);
}

// With E the energy of an entry, the squared distance to a member of the set is the sum of E over the entries that go:
// the nearest member keeps the entries with the largest sum of E. Blocks are independent but for the share of blocks,
// and there each block counts with what it can keep.
std::vector<uint8_t> choose_entries(std::span<const float> weights, const KernelShape& shape, const PruneSpec& spec,
                                    std::span<const Pattern> patterns) {
  const BlockGrid grid(shape, spec.block_outputs);
  if (spec.kind == PruneKind::kDense) return std::vector<uint8_t>(grid.entries(), 1);
  const std::vector<double> energies = grid.energies(weights);
  std::vector<uint8_t> entries(grid.entries());
  if (spec.per_layer) {
    for (const size_t e : largest(energies, kept_positions(spec.keep, grid.entries()))) entries[e] = 1;
    return entries;
  }
  const size_t count = kept_positions(spec.keep, grid.positions());
  std::vector<Choice> choices;
  std::vector<double> sums;
  for (size_t b = 0; b < grid.blocks(); ++b) {
    const auto block = std::span(energies).subspan(b * grid.positions(), grid.positions());
    choices.push_back(spec.kind == PruneKind::kPattern ? best_pattern(block, patterns)
                                                       : best_positions(block, count, shape, spec.centre));
    sums.push_back(choices.back().energy);
  }
  for (const size_t b : largest(sums, kept_positions(spec.blocks, grid.blocks()))) {
    std::copy(choices[b].kept.begin(), choices[b].kept.end(),
              entries.begin() + static_cast<ptrdiff_t>(b * grid.positions()));
  }
  return entries;
}

void keep_entries(std::span<float> weights, const KernelShape& shape, int block_outputs,
                  std::span<const uint8_t> entries) {
  const BlockGrid grid(shape, block_outputs);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (entries[grid.entry_of(i)] == 0) weights[i] = 0;
  }
}

void project(std::span<float> weights, const KernelShape& shape, const PruneSpec& spec,
             std::span<const Pattern> patterns) {
  keep_entries(weights, shape, spec.block_outputs, choose_entries(weights, shape, spec, patterns));
}

}  // namespace coco::tune
