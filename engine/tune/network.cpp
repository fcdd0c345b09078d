#include "tune/network.h"

#include "tune/lower.h"

namespace coco::tune {
namespace {

std::vector<float> to_vector(const torch::Tensor& t) {
  const torch::Tensor flat = t.detach().to(torch::kCPU).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

torch::Tensor to_tensor(const std::vector<float>& values, const std::vector<int64_t>& shape) {
  return torch::tensor(values).view(shape);
}

bool has_slope(const LayerSpec& spec) { return spec.activation == Activation::kPrelu; }

}  // namespace

Network::Network(Architecture architecture, Branches branches, Random& random)
    : architecture_(std::move(architecture)) {
  for (size_t i = 0; i < architecture_.layers.size(); ++i) add_layer(i, branches, random);
}

torch::Tensor Network::add_parameter(std::string name, torch::Tensor value) {
  value.set_requires_grad(true);
  parameters_.push_back({std::move(name), value});
  return value;
}

void Network::add_layer(size_t index, Branches branches, Random& random) {
  const LayerSpec spec = architecture_.layers[index];
  const std::string prefix = "layer" + std::to_string(index) + ".";
  const bool last = index + 1 == architecture_.layers.size();
  // Of a residual the last layer starts near zero: the first output is the base.
  double gain = last && architecture_.base != Base::kNone ? 0.1 : 1.0;
  if (is_transposed(architecture_, index)) gain *= architecture_.scale;  // each output gets 1 / scale^2 of the taps
  const Branches those = is_transposed(architecture_, index) ? Branches::kPlain : branches;
  Layer layer{BranchedKernel(spec, weight_shape(architecture_, index), those, gain, prefix, random, parameters_),
              add_parameter(prefix + "bias", torch::zeros({spec.out})),
              {}};
  if (has_slope(spec)) layer.slope = add_parameter(prefix + "slope", torch::full({spec.out}, 0.25));
  layers_.push_back(std::move(layer));
}

std::vector<NamedTensor> Network::deployed() const {
  std::vector<NamedTensor> all;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& l = layers_[i];
    const std::string index = std::to_string(i);
    all.push_back({"conv" + index + ".weight", l.kernel.folded()});
    all.push_back({"conv" + index + ".bias", l.bias});
    if (l.slope.defined()) all.push_back({"prelu" + index + ".slope", l.slope});
  }
  return all;
}

torch::Tensor Network::forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const {
  return run_architecture(architecture_, deployed, input);
}

Result<graph::Graph> Network::graph(const std::vector<NamedTensor>& deployed) const {
  return lower(to_plain(architecture_, deployed));
}

void Network::set(const std::vector<NamedTensor>& deployed) {
  const torch::NoGradGuard no_grad;
  size_t next = 0;
  for (Layer& l : layers_) {
    l.kernel.set(deployed[next++].tensor);
    l.bias.copy_(deployed[next++].tensor);
    if (l.slope.defined()) l.slope.copy_(deployed[next++].tensor);
  }
}

PlainNet to_plain(const Architecture& architecture, const std::vector<NamedTensor>& deployed) {
  PlainNet net{architecture, {}};
  size_t next = 0;
  for (const LayerSpec& spec : architecture.layers) {
    PlainLayer layer{spec, to_vector(deployed[next].tensor), to_vector(deployed[next + 1].tensor), {}};
    if (has_slope(spec)) layer.slope = to_vector(deployed[next + 2].tensor);
    next += has_slope(spec) ? 3 : 2;
    net.layers.push_back(std::move(layer));
  }
  return net;
}

std::vector<NamedTensor> from_plain(const PlainNet& net) {
  std::vector<NamedTensor> deployed;
  for (size_t i = 0; i < net.layers.size(); ++i) {
    const PlainLayer& l = net.layers[i];
    const std::string index = std::to_string(i);
    deployed.push_back({"conv" + index + ".weight", to_tensor(l.weight, weight_shape(net.architecture, i))});
    deployed.push_back({"conv" + index + ".bias", torch::tensor(l.bias)});
    if (!l.slope.empty()) deployed.push_back({"prelu" + index + ".slope", torch::tensor(l.slope)});
  }
  return deployed;
}

}  // namespace coco::tune
