// Purpose: networks of well-known shapes with random weights, for measuring engines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace coco::bench {

struct Network {
  std::string name;
  std::string onnx;  ///< serialised, opset 13, one input "x"
  std::vector<int64_t> input;
};

/// Weights keep the signal's power from layer to layer, so that neither overflow nor zeros make the arithmetic easier.
std::vector<Network> standard_networks();

}  // namespace coco::bench
