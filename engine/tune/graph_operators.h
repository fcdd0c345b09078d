// Purpose: the f32 operators of the compiler's graph in libtorch, so that they can be differentiated. Results are the
// reference kernels' but for the order of a convolution's sums.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "coco/status.h"
#include "graph/graph.h"

namespace coco::tune {

/// kUnsupported, naming node and operator, for what run_operator cannot do. The first axis must stand for pictures
/// wherever the node reads anything but constants: a batch takes the place of the graph's one picture.
Status check_operator(const graph::Node& node);

/// "weight", "bias" or "slope" when what the node reads there is a number that training changes: constants of
/// convolutions and PReLU. Empty: it is none.
std::string trained_number(const graph::Node& node, size_t slot);

/// The node's result; absent inputs are undefined tensors. Throws what libtorch throws, and std::invalid_argument that
/// names the node when shapes do not fit.
torch::Tensor run_operator(const graph::Node& node, const std::vector<torch::Tensor>& in);

/// A convolution without its activation; an undefined bias is none.
torch::Tensor convolve(const format::Conv2dParams& p, const torch::Tensor& x, const torch::Tensor& weight,
                       const torch::Tensor& bias);

}  // namespace coco::tune
