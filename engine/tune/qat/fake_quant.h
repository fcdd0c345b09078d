// Purpose: the roundings of an integer network (docs/numerics.md) as operations that can be differentiated. Forward
// they are the engine's, to the last bit; backward a rounding lets the gradient through, a clamp that holds stops it.
// Integers are whole numbers in f32. Activations are counted from their zero point: the steps less the zero point.
#pragma once

#include <torch/types.h>

namespace coco::tune {

/// Which rows of a weight [rows, taps], a row for each output channel and input channel of its group, bear the pair
/// rule together. Undefined tensors: none does.
struct WeightPairs {
  torch::Tensor partner;  ///< [rows] s64: the other row, or the row itself
  torch::Tensor paired;   ///< [rows, 1]: 1 where there is another one
  torch::Tensor first;    ///< [rows, 1]: 1 for the first of a pair
};
/// Of a convolution with `outputs` channels in `groups`, each of which reads `inputs`.
WeightPairs find_pairs(int64_t outputs, int64_t inputs, int64_t groups);

/// round_half_even(weight) in -127..127, and smaller where |w0| + |w1| of a pair would be more than 128: both give way
/// alike. What was made smaller gets the gradients that draw it back, and no others.
torch::Tensor round_weights(const torch::Tensor& weight, const WeightPairs& pairs);

/// round_half_even
torch::Tensor round_through(const torch::Tensor& x);

/// acc [n, c, h, w] * (acc < 0 ? negative[c] : scale[c]); an undefined `negative` is `scale`.
torch::Tensor scale_sums(const torch::Tensor& acc, const torch::Tensor& scale, const torch::Tensor& negative);

/// round_half_even(scale_sums) in low..high
torch::Tensor requantize(const torch::Tensor& acc, const torch::Tensor& scale, const torch::Tensor& negative,
                         double low, double high);

/// round_half_even(x * multiplier) in low..high
torch::Tensor quantize(const torch::Tensor& x, double multiplier, double low, double high);

}  // namespace coco::tune
