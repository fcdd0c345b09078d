#include "tune/network.h"

namespace coco::tune {
namespace {

torch::Tensor normal_tensor(std::vector<int64_t> shape, double deviation, Random& random) {
  torch::Tensor t = torch::empty(shape);
  float* p = t.data_ptr<float>();
  for (int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<float>(deviation * random.normal());
  return t;
}

/// A 1x1 kernel as the centre of a 3x3 one.
torch::Tensor centre(const torch::Tensor& point) { return torch::constant_pad_nd(point, {1, 1, 1, 1}); }

torch::Tensor convolve(const torch::Tensor& input, const torch::Tensor& weight, const torch::Tensor& bias = {}) {
  return torch::conv2d(input, weight, bias, 1, weight.size(2) / 2);
}

std::vector<float> to_vector(const torch::Tensor& t) {
  const torch::Tensor flat = t.detach().to(torch::kCPU).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

Network::Network(Architecture architecture, Branches branches, Random& random)
    : architecture_(std::move(architecture)), branches_(branches) {
  for (size_t i = 0; i < architecture_.layers.size(); ++i) layers_.push_back(make_layer(i, random));
}

torch::Tensor Network::add_parameter(std::string name, torch::Tensor value) {
  value.set_requires_grad(true);
  parameters_.push_back({std::move(name), value});
  return value;
}

Network::Layer Network::make_layer(size_t index, Random& random) {
  const LayerSpec spec = architecture_.layers[index];
  const std::string prefix = "layer" + std::to_string(index) + ".";
  const bool last = index + 1 == architecture_.layers.size();
  // The last layer starts near zero: the first output is the bilinear base.
  const double gain = last ? 0.1 : 1.0;
  const double deviation = gain * std::sqrt(2.0 / (9.0 * spec.in));
  Layer layer;
  layer.spec = spec;
  layer.direct = add_parameter(prefix + "direct", normal_tensor({spec.out, spec.in, 3, 3}, deviation, random));
  if (branches_ == Branches::kRich) {
    const int64_t middle = 2 * std::max(spec.in, spec.out);
    layer.expand =
        add_parameter(prefix + "expand", normal_tensor({middle, spec.in, 1, 1}, std::sqrt(1.0 / spec.in), random));
    layer.squeeze = add_parameter(
        prefix + "squeeze", normal_tensor({spec.out, middle, 3, 3},
                                          0.5 * gain * std::sqrt(1.0 / (9.0 * static_cast<double>(middle))), random));
    layer.point = add_parameter(
        prefix + "point", normal_tensor({spec.out, spec.in, 1, 1}, 0.5 * gain * std::sqrt(1.0 / spec.in), random));
    layer.edge_mix =
        add_parameter(prefix + "edge_mix", normal_tensor({3, spec.out, spec.in}, std::sqrt(1.0 / spec.in), random));
    layer.edge_scale = add_parameter(prefix + "edge_scale", normal_tensor({3, spec.out}, 0.02 * gain, random));
  }
  layer.bias = add_parameter(prefix + "bias", torch::zeros({spec.out}));
  if (spec.prelu) layer.slope = add_parameter(prefix + "slope", torch::full({spec.out}, 0.25));
  return layer;
}

/// Sobel across, Sobel down, Laplacian: [3, 3, 3].
torch::Tensor Network::edge_kernels() const {
  return torch::tensor({1.f, 0.f, -1.f, 2.f, 0.f,  -2.f, 1.f,  0.f,  -1.f,  //
                        1.f, 2.f, 1.f,  0.f, 0.f,  0.f,  -1.f, -2.f, -1.f,  //
                        0.f, 1.f, 0.f,  1.f, -4.f, 1.f,  0.f,  1.f,  0.f})
      .view({3, 3, 3});
}

std::vector<FoldedLayer> Network::fold() const {
  std::vector<FoldedLayer> folded;
  for (const Layer& l : layers_) {
    torch::Tensor weight = l.direct;
    if (branches_ == Branches::kRich) {
      const int64_t middle = l.expand.size(0);
      // sum over m of squeeze[o, m, y, x] * expand[m, i]
      const torch::Tensor squeezed =
          torch::matmul(l.squeeze.permute({0, 2, 3, 1}), l.expand.view({middle, l.spec.in})).permute({0, 3, 1, 2});
      // sum over e of scale[e, o] * mix[e, o, i] * kernel[e, y, x]
      const torch::Tensor mixed = (l.edge_mix * l.edge_scale.unsqueeze(2)).view({3, -1});
      const torch::Tensor edges = mixed.t().mm(edge_kernels().view({3, 9})).view({l.spec.out, l.spec.in, 3, 3});
      torch::Tensor point = l.point;
      if (l.spec.in == l.spec.out) point = point + torch::eye(l.spec.in).view({l.spec.in, l.spec.in, 1, 1});
      weight = weight + squeezed + edges + centre(point);
    }
    folded.push_back({weight, l.bias, l.slope});
  }
  return folded;
}

torch::Tensor Network::run_branches(size_t layer, const torch::Tensor& input) const {
  const Layer& l = layers_[layer];
  torch::Tensor sum = convolve(input, l.direct, l.bias);
  if (branches_ == Branches::kPlain) return sum;
  sum = sum + convolve(convolve(input, l.expand), l.squeeze) + convolve(input, l.point);
  if (l.spec.in == l.spec.out) sum = sum + input;
  const torch::Tensor kernels = edge_kernels();
  for (int64_t e = 0; e < 3; ++e) {
    const torch::Tensor mixed = convolve(input, l.edge_mix[e].view({l.spec.out, l.spec.in, 1, 1}));
    const torch::Tensor depthwise = kernels[e].expand({l.spec.out, 1, 3, 3}) * l.edge_scale[e].view({-1, 1, 1, 1});
    sum = sum + torch::conv2d(mixed, depthwise, {}, 1, 1, 1, l.spec.out);
  }
  return sum;
}

torch::Tensor run_folded(const Architecture& architecture, const std::vector<FoldedLayer>& layers,
                         const torch::Tensor& input) {
  torch::Tensor x = input;
  for (const FoldedLayer& l : layers) {
    x = convolve(x, l.weight, l.bias);
    if (l.slope.defined()) x = torch::prelu(x, l.slope);
  }
  const std::vector<int64_t> size = {input.size(2) * architecture.scale, input.size(3) * architecture.scale};
  return torch::pixel_shuffle(x, architecture.scale) + torch::upsample_bilinear2d(input, size, false);
}

PlainNet to_plain(const Architecture& architecture, const std::vector<FoldedLayer>& layers) {
  PlainNet net{architecture, {}};
  for (size_t i = 0; i < layers.size(); ++i) {
    PlainLayer layer{architecture.layers[i], to_vector(layers[i].weight), to_vector(layers[i].bias), {}};
    if (layers[i].slope.defined()) layer.slope = to_vector(layers[i].slope);
    net.layers.push_back(std::move(layer));
  }
  return net;
}

std::vector<FoldedLayer> from_plain(const PlainNet& net) {
  std::vector<FoldedLayer> layers;
  for (const PlainLayer& l : net.layers) {
    FoldedLayer folded;
    folded.weight = torch::tensor(l.weight).view({l.spec.out, l.spec.in, 3, 3});
    folded.bias = torch::tensor(l.bias);
    if (!l.slope.empty()) folded.slope = torch::tensor(l.slope);
    layers.push_back(std::move(folded));
  }
  return layers;
}

}  // namespace coco::tune
