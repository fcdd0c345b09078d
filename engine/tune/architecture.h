// Purpose: super-resolution networks as descriptions, the presets among them, and their trained form as plain numbers,
// free of libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

/// kPrelu has a slope for each channel; kClip is min(max(x, 0), LayerSpec::clip).
enum class Activation { kNone, kPrelu, kRelu, kClip, kTanh };

/// What is added to the network's result: nothing, or the input enlarged. kNearest repeats pixels, kBicubic is Keys'
/// cubic with a = -0.5; both, and kBilinear, at half pixel centres with clamped edges.
enum class Base { kNone, kNearest, kBilinear, kBicubic };

/// How the last layer becomes pixels: a convolution to (scale * unshuffle)^2 channels and depth to space, or a
/// transposed convolution of stride scale to one channel.
enum class End { kShuffle, kDeconvolution };

/// One convolution with zero padding that keeps the size, and what follows it.
struct LayerSpec {
  int in = 0, out = 0;
  Activation activation = Activation::kNone;
  int kernel = 3;          ///< odd; any size for a transposed convolution
  bool depthwise = false;  ///< one filter a channel, in == out
  float clip = 1;
  bool operator==(const LayerSpec&) const = default;
};

/// One luma plane in, one `scale` times as wide and high out.
struct Architecture {
  std::string name;
  int scale = 2;
  std::vector<LayerSpec> layers;
  int unshuffle = 1;  ///< the pixels of each square of so many a side become channels first; sizes must be multiples
  End end = End::kShuffle;
  Base base = Base::kBilinear;
  bool operator==(const Architecture&) const = default;
};

/// The trained numbers of one layer: weight [out][in / group][kernel][kernel], that of a transposed convolution
/// [in][out][kernel][kernel]; bias [out]; slope [out] or empty.
struct PlainLayer {
  LayerSpec spec;
  std::vector<float> weight, bias, slope;
};

struct PlainNet {
  Architecture architecture;
  std::vector<PlainLayer> layers;
};

/// kNotFound names the presets there are.
Result<Architecture> find_architecture(std::string_view name);
std::vector<std::string> architecture_names();

/// kInvalidArgument names the layer that does not fit and how it should look.
Status check_architecture(const Architecture& architecture);

/// Whether layer `index` is the transposed convolution at the end.
bool is_transposed(const Architecture& architecture, size_t index);

/// Dense 3x3 layers with PReLU or nothing, depth to space, on the bilinear base.
bool is_plain_stack(const Architecture& architecture);

/// Dimensions of a layer's weight.
std::vector<int64_t> weight_shape(const Architecture& architecture, size_t index);

/// Weights, biases and slopes.
int64_t parameter_count(const Architecture& architecture);

/// Multiply-accumulates of the convolutions per input pixel.
int64_t macs_per_pixel(const Architecture& architecture);

/// The description as one line of JSON, and back.
std::string to_json(const Architecture& architecture);
Result<Architecture> architecture_from_json(const std::string& text);

// Names in files: none, prelu, relu, clip, tanh; none, nearest, bilinear, bicubic; shuffle, deconvolution.
std::string_view to_string(Activation value);
std::string_view to_string(Base value);
std::string_view to_string(End value);
bool from_string(std::string_view text, Activation& value);
bool from_string(std::string_view text, Base& value);
bool from_string(std::string_view text, End& value);

}  // namespace coco::tune
