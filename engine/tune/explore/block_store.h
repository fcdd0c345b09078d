// Purpose: the pre-trained blocks of a search, and networks assembled from them.
#pragma once

#include <vector>

#include "tune/explore/search_run.h"

namespace coco::tune {

class BlockStore {
 public:
  /// Finds the blocks that these configurations are made of. `run` is borrowed.
  BlockStore(const SearchRun& run, const std::vector<Configuration>& configurations);

  /// Pre-trains them, those that share no module side by side in one run of options.block_iterations steps. Blocks that
  /// are dense stay the teacher's.
  Status train();

  const BlockBag& bag() const { return bag_; }
  /// Numbers of blocks in the bag, by run.
  const std::vector<std::vector<size_t>>& groups() const { return groups_; }
  size_t blocks() const;  ///< of all groups
  /// A block's numbers after train(), those of the whole network, of which its layers count; empty: it is dense.
  const std::vector<NamedTensor>& trained(size_t block) const { return trained_[block]; }

  /// Configuration number `configuration` of those given: the teacher with its blocks in their places.
  std::vector<NamedTensor> assemble(size_t configuration) const;

 private:
  Status train_group(size_t number);

  const SearchRun& run_;
  BlockBag bag_;
  std::vector<std::vector<size_t>> groups_;
  std::vector<std::vector<NamedTensor>> trained_;  ///< by block
};

}  // namespace coco::tune
