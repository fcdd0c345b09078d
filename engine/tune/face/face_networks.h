// Purpose: the graphs of the face networks, with first numbers; free of libtorch.
#pragma once

#include "graph/graph.h"
#include "tune/random.h"

namespace coco::tune {

/// [1, 3, 112, 112], red, green, blue in 0..1 -> [1, 207, 1, 1]: 68 x, 68 y (-1..1 across the crop), 68 visibilities
/// (positive: seen), yaw, pitch, roll (parts of 90 degrees). A plain stack of 3x3 convolutions with strides.
Result<graph::Graph> landmark_network(Random& random);
inline constexpr int kLandmarkSize = 112, kLandmarkOutputs = 207;

/// [1, 3, 128, 128] -> [1, 2, 128, 128], in 0..1: the share of each pixel that is face, and that is something before
/// it. A U-Net on the half picture, its last step shuffled to the whole.
Result<graph::Graph> mask_network(Random& random);
inline constexpr int kMaskSize = 128;

/// What a graph costs.
struct NetworkSize {
  int64_t parameters = 0;
  int64_t macs = 0;  ///< Multiply-adds for one picture.
};
NetworkSize size_of(const graph::Graph& graph);

}  // namespace coco::tune
