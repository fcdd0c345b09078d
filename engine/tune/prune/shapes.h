// Purpose: the shapes in which the integer kernels skip weights (kernels/qconv: one entry is the weights of a tile of
// output channels and 4 input channels at one position of the kernel), and what is left of weights in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

/// A convolution's weights, [outputs][inputs][height][width].
struct KernelShape {
  int outputs = 0, inputs = 0, height = 1, width = 1;
  /// One input channel whose words hold 4 neighbouring columns, as the engine reads a picture: positions are rows.
  bool gathered = false;

  size_t size() const;
};

enum class PruneKind : uint8_t {
  kDense,    ///< all weights stay
  kPunched,  ///< any positions of a block
  kPattern,  ///< 3x3 blocks that keep the positions of one of the network's patterns, the centre among them
};

/// What may be left of a layer. A block is block_outputs output by 4 input channels; the weights of a block at one
/// position (an entry) stay or go together.
struct PruneSpec {
  PruneKind kind = PruneKind::kDense;
  int block_outputs = 8;   ///< 8 or 4
  double keep = 1;         ///< share of the positions that stay in a block that stays
  bool per_layer = false;  ///< kPunched: so many in the whole layer, wherever the energy is, not in every block
  bool centre = false;     ///< kPunched: the centre of a block that stays is one of them
  double blocks = 1;       ///< share of the blocks that stay (connectivity)

  bool operator==(const PruneSpec&) const = default;
};

/// The reason why a layer of this shape cannot be pruned so; kInvalidArgument.
Status check_spec(const PruneSpec& spec, const KernelShape& shape);

/// Where weights stand in blocks.
class BlockGrid {
 public:
  BlockGrid(const KernelShape& shape, int block_outputs);

  size_t blocks() const { return blocks_; }
  size_t positions() const { return positions_; }
  size_t entries() const { return blocks_ * positions_; }
  /// block * positions() + position of weight number `index`.
  size_t entry_of(size_t index) const;
  /// Sum of squares of every entry's weights.
  std::vector<double> energies(std::span<const float> weights) const;

 private:
  KernelShape shape_;
  size_t block_outputs_, words_, blocks_, positions_;
};

/// Entries that a tile of `tile` output channels multiplies, as the engine packs them.
struct EntryCount {
  size_t kept = 0, dense = 0;
};
EntryCount count_entries(std::span<const float> weights, const KernelShape& shape, int tile);

/// Share of the weights that are 0.
double sparsity(std::span<const float> weights);

}  // namespace coco::tune
