// Purpose: the few patterns of a network, learnt from its weights.
#pragma once

#include <array>
#include <vector>

#include "tune/prune/projection.h"

namespace coco::tune {

inline constexpr int kMaxPatterns = 8;

/// A 3x3 block's energy at each position.
using BlockEnergy = std::array<double, 9>;

/// The 3x3 patterns with so many positions, the centre among them, in rising order. positions: 1..9.
std::vector<Pattern> all_patterns(int positions);

/// What stays when every block takes the pattern that suits it best.
double kept_energy(const std::vector<BlockEnergy>& blocks, const std::vector<Pattern>& patterns);

/// At most `count` patterns that keep most of the blocks' energy: the blocks' own best ones where those are not more
/// than that. Otherwise, from every pattern as the first one, those that add most, one by one, then exchanges while one
/// adds something; the best outcome counts. Kept energy is submodular: what adds most each time keeps at least 1 - 1/e
/// of what any set could.
std::vector<Pattern> learn_patterns(const std::vector<BlockEnergy>& blocks, int positions, int count);

/// The blocks of one 3x3 layer, divided by the layer's whole energy, so that layers count alike.
std::vector<BlockEnergy> block_energies(std::span<const float> weights, const KernelShape& shape, int block_outputs);

}  // namespace coco::tune
