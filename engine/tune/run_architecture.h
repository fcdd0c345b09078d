// Purpose: single layers of a described architecture.
#pragma once

#include "tune/network.h"

namespace coco::tune {

/// Deployed numbers of a layer: weight, bias and, with PReLU, slope.
size_t numbers_of(const LayerSpec& spec);

/// Layers [first, end) with their activations, of all the network's deployed numbers; x enters layer `first`.
torch::Tensor run_layers(const Architecture& architecture, const std::vector<NamedTensor>& deployed, size_t first,
                         size_t end, torch::Tensor x);

}  // namespace coco::tune
