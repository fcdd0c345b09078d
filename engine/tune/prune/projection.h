// Purpose: Euclidean projections onto the sets of weights that prune/shapes.h describes.
#pragma once

#include <span>
#include <vector>

#include "tune/prune/shapes.h"

namespace coco::tune {

/// Positions of a 3x3 kernel, bit 3 y + x.
using Pattern = uint32_t;
inline constexpr Pattern kCentre = 1u << 4;

/// Per entry of the layer's BlockGrid: 1 where its weights stay in the nearest member of the set. `patterns` are those
/// a kPattern layer may use, all with as many positions as the spec keeps (kept_positions). check_spec() must hold.
std::vector<uint8_t> choose_entries(std::span<const float> weights, const KernelShape& shape, const PruneSpec& spec,
                                    std::span<const Pattern> patterns);

/// Sets the weights of all other entries to 0.
void keep_entries(std::span<float> weights, const KernelShape& shape, int block_outputs,
                  std::span<const uint8_t> entries);

/// Both: weights become the nearest member of the set.
void project(std::span<float> weights, const KernelShape& shape, const PruneSpec& spec,
             std::span<const Pattern> patterns);

/// How many of `positions` a share of them is: rounded, at least 1.
size_t kept_positions(double share, size_t positions);

}  // namespace coco::tune
