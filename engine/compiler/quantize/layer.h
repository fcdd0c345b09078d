// Purpose: one convolution in integers: its 8-bit weights, its scales, and whether it can be integer at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/quantize/ranges.h"
#include "graph/graph.h"

namespace coco::compiler {

/// |w0| + |w1| of input channels (2k, 2k + 1) at one tap: a product of two u8 with two s8 then fits 16 bits.
inline constexpr int kPairLimit = 128;

/// The smallest scale at which every |round(w / scale)| <= 127 and the pair rule holds; 0 when all weights are 0.
/// weights: [channels][taps] of one output channel, the first of them being input channel `first_channel`.
double weight_scale(std::span<const double> weights, size_t taps, size_t first_channel);

/// What is decided about an integer convolution.
struct LayerChoice {
  /// To add to the sums of each channel, in real units; empty: nothing.
  std::vector<double> shift;
  /// Weights already in integers and each channel's scale; empty: the f32 weights, rounded.
  std::vector<int8_t> weight;
  std::vector<double> scale;
};

/// One output channel's f32 weights as the integer layer sees them: times the result's factor over the inputs'.
std::vector<double> scaled_weights(const graph::Node& node, size_t m, const ActivationScale& in,
                                   const ActivationScale* out);
/// The input channel that the first weight of output channel `m` reads.
size_t first_input_channel(const graph::Node& node, size_t m);

/// The constants of a QuantConv2d.
struct IntegerLayer {
  format::QuantConv2dParams params;
  std::vector<int8_t> weight;
  std::vector<int32_t> bias;
  std::vector<float> scale, negative;  ///< negative: empty when it is the scale
  std::vector<double> sum_unit;        ///< what 1 in a channel's sums stands for
  /// The activation that the integer layer leaves to a Unary after it.
  std::optional<format::UnaryParams> activation;
};

/// Why a node cannot be integer whatever the scales; empty when it may. kInvalidData for weights that are not numbers.
Result<std::string> integer_obstacle(const graph::Node& node);

/// The layer for these scales of its input and its result (null: the result is f32). The error is kUnsupported and says
/// why it must stay f32.
Result<IntegerLayer> integer_layer(const graph::Node& node, const ActivationScale& in, const ActivationScale* out,
                                   const LayerChoice& choice);

}  // namespace coco::compiler
