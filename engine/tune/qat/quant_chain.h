// Purpose: a chain of integer 3x3 convolutions on square patches with the trainer's own kernels, several times as fast
// as libtorch. Forward it gives the same integers, every sum being exact.
#pragma once

#include <torch/types.h>

#include <vector>

namespace coco::tune {

/// The constants of one convolution: whole numbers in f32 but for the scales. [out, in, 3, 3], [out], [out], [out].
struct ChainNumbers {
  torch::Tensor weight, bias, scale, negative;
};

/// Whether layers of these channels (first in, then out of each) can be a chain, on the processor that runs it.
bool chain_supported(const std::vector<int64_t>& channels);

/// Whether such a chain can compute this input: square, its side a multiple of 8, f32 on the CPU.
bool chain_fits(const torch::Tensor& input);

/// input: [n, c, size, size], steps from their zero point. Each layer: round(scaled sums) in
/// bounds[l][0]..bounds[l][1]; infinite bounds of the last one: its scaled sums as they are. bounds: [layers, 2].
torch::Tensor run_chain(const torch::Tensor& input, const torch::Tensor& bounds,
                        const std::vector<ChainNumbers>& layers);

}  // namespace coco::tune
