// The forward pass of a described architecture.
#include <array>

#include "tune/run_architecture.h"

namespace coco::tune {
namespace {

/// Padding and output padding of a transposed convolution whose result is `stride` times its input.
std::array<int64_t, 2> transposed_padding(int64_t kernel, int64_t stride) {
  const int64_t extra = (kernel - stride) % 2;
  return {(kernel - stride + extra) / 2, extra};
}

torch::Tensor convolve(const Architecture& a, size_t index, const torch::Tensor& x, const torch::Tensor& weight,
                       const torch::Tensor& bias) {
  const LayerSpec& spec = a.layers[index];
  if (is_transposed(a, index)) {
    const auto [padding, extra] = transposed_padding(spec.kernel, a.scale);
    return torch::conv_transpose2d(x, weight, bias, a.scale, padding, extra);
  }
  return torch::conv2d(x, weight, bias, 1, spec.kernel / 2, 1, spec.depthwise ? spec.in : 1);
}

torch::Tensor activate(const LayerSpec& spec, const torch::Tensor& x) {
  switch (spec.activation) {
    case Activation::kRelu:
      return torch::relu(x);
    case Activation::kClip:
      return torch::clamp(x, 0.0, static_cast<double>(spec.clip));
    case Activation::kTanh:
      return torch::tanh(x);
    case Activation::kPrelu:
    case Activation::kNone:
      break;
  }
  return x;
}

// Keys' cubic, a = -0.5.
double cubic(double t) {
  t = std::fabs(t);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

/// Weights of the five pixels around pixel x for the result's pixel scale * x + phase: [scale, 5].
torch::Tensor cubic_taps(int scale) {
  torch::Tensor taps = torch::empty({scale, 5});
  for (int phase = 0; phase < scale; ++phase) {
    const double u = (phase + 0.5) / scale - 0.5;
    for (int k = 0; k < 5; ++k) taps[phase][k] = static_cast<float>(cubic(u - (k - 2)));
  }
  return taps;
}

torch::Tensor enlarge_cubic(const torch::Tensor& input, int scale) {
  const torch::Tensor taps = cubic_taps(scale).to(input.device());
  const torch::Tensor kernel =
      (taps.view({scale, 1, 5, 1}) * taps.view({1, scale, 1, 5})).reshape({scale * scale, 1, 5, 5});
  return torch::pixel_shuffle(torch::conv2d(torch::replication_pad2d(input, {2, 2, 2, 2}), kernel), scale);
}

}  // namespace

size_t numbers_of(const LayerSpec& spec) { return spec.activation == Activation::kPrelu ? 3 : 2; }

torch::Tensor run_layers(const Architecture& a, const std::vector<NamedTensor>& deployed, size_t first, size_t end,
                         torch::Tensor x) {
  size_t next = 0;
  for (size_t i = 0; i < end; next += numbers_of(a.layers[i++])) {
    if (i < first) continue;
    x = convolve(a, i, x, deployed[next].tensor, deployed[next + 1].tensor);
    x = a.layers[i].activation == Activation::kPrelu ? torch::prelu(x, deployed[next + 2].tensor)
                                                     : activate(a.layers[i], x);
  }
  return x;
}

torch::Tensor enlarge(const torch::Tensor& input, int scale, Base base) {
  const std::vector<int64_t> size = {input.size(2) * scale, input.size(3) * scale};
  switch (base) {
    case Base::kNearest:
      return torch::upsample_nearest2d(input, size);
    case Base::kBilinear:
      return torch::upsample_bilinear2d(input, size, false);
    case Base::kBicubic:
      return enlarge_cubic(input, scale);
    case Base::kNone:
      break;
  }
  return {};
}

torch::Tensor run_architecture(const Architecture& a, const std::vector<NamedTensor>& deployed,
                               const torch::Tensor& input) {
  const int64_t u = a.unshuffle, height = input.size(2), width = input.size(3);
  torch::Tensor x = input;
  if (u > 1) {
    const int64_t below = (u - height % u) % u, right = (u - width % u) % u;
    if (below + right > 0) x = torch::replication_pad2d(x, {0, right, 0, below});
    x = torch::pixel_unshuffle(x, u);
  }
  x = run_layers(a, deployed, 0, a.layers.size(), x);
  if (a.end == End::kShuffle) x = torch::pixel_shuffle(x, u * a.scale);
  if (x.size(2) != height * a.scale || x.size(3) != width * a.scale) {
    x = x.slice(2, 0, height * a.scale).slice(3, 0, width * a.scale);
  }
  const torch::Tensor base = enlarge(input, a.scale, a.base);
  return base.defined() ? x + base : x;
}

}  // namespace coco::tune
