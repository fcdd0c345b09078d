// Purpose: the networks that can be trained, by name, and their trained form as plain numbers, free of libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

/// One 3x3 convolution with zero padding; PReLU with one slope per channel follows where `prelu` is set.
struct LayerSpec {
  int in = 0, out = 0;
  bool prelu = false;
};

/// A plain stack ending in scale * scale channels that a depth-to-space step puts beside each other; the bilinear
/// upscaled input is added.
struct Architecture {
  std::string name;
  int scale = 2;
  std::vector<LayerSpec> layers;
};

/// The trained numbers of one layer: weight [out][in][3][3], bias [out], slope [out] or empty.
struct PlainLayer {
  LayerSpec spec;
  std::vector<float> weight, bias, slope;
};

struct PlainNet {
  Architecture architecture;
  std::vector<PlainLayer> layers;
};

/// kNotFound names the architectures there are.
Result<Architecture> find_architecture(std::string_view name);

/// Weights, biases and slopes.
int64_t parameter_count(const Architecture& architecture);

/// Multiply-accumulates of the convolutions per input pixel.
int64_t macs_per_pixel(const Architecture& architecture);

}  // namespace coco::tune
