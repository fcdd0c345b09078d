// Purpose: tuning blocks: the parts that configurations share, to be pre-trained once for all of them.
#pragma once

#include <cstddef>
#include <vector>

#include "tune/explore/configurations.h"

namespace coco::tune {

/// The modules [first, end()) with these choices.
struct TuningBlock {
  int first = 0;
  std::vector<int> choices;
  size_t frequency = 0;  ///< configurations that are made with it

  int end() const { return first + static_cast<int>(choices.size()); }
};

struct BlockBag {
  std::vector<TuningBlock> blocks;  ///< in order of first module, then of choices
  /// By configuration: the blocks that make it, from the first module to the last.
  std::vector<std::vector<size_t>> assembly;
};

/// Blocks from the grammar of all configurations' strings of (module, choice) units, a mark between any two: a rule
/// becomes a block when it stands in at least two configurations and in as many as any rule within it (otherwise the
/// rules within it serve more configurations); units that no block covers stand alone.
BlockBag find_tuning_blocks(const std::vector<Configuration>& configurations);

/// A block for every (module, choice), for comparison.
BlockBag single_unit_blocks(const std::vector<Configuration>& configurations);

/// Groups of blocks that share no module, as few as there can be: those of one group are trained in one run.
std::vector<std::vector<size_t>> pack_blocks(const std::vector<TuningBlock>& blocks);

}  // namespace coco::tune
