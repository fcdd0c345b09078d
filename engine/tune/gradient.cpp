#include "tune/gradient.h"

#include <torch/csrc/autograd/autograd.h>

#include "tune/network.h"
#include "tune/patch_step.h"

namespace coco::tune {
namespace {

torch::Tensor to_float(std::vector<uint8_t>& bytes, int count, int size, torch::Device device) {
  return torch::from_blob(bytes.data(), {count, 1, size, size}, torch::kUInt8)
      .to(device)
      .to(torch::kFloat32)
      .mul_(1.0 / 255.0);
}

class TorchGradient : public GradientSource {
 public:
  explicit TorchGradient(const Trainable& network) : network_(network) {}

  double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind kind,
             std::vector<torch::Tensor>& gradients) override {
    const torch::Device device = values.front().tensor.device();
    const torch::Tensor input = low_resolution(patches, device), target = high_resolution(patches, device);
    const auto loss = [&](const std::vector<NamedTensor>& v) {
      return loss_of(network_.forward(v, input), target, kind);
    };
    return differentiate(values, loss, gradients);
  }

 private:
  const Trainable& network_;
};

class StackGradientSource : public GradientSource {
 public:
  StackGradientSource(const Architecture& architecture, int patch)
      : architecture_(architecture), step_(architecture, patch) {}

  double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind kind,
             std::vector<torch::Tensor>& gradients) override {
    const StackGradient& gradient = step_.run(to_plain(architecture_, values), patches, kind);
    gradients.clear();
    const auto add = [&](const std::vector<float>& numbers) {
      gradients.push_back(torch::tensor(numbers).view(values[gradients.size()].tensor.sizes()));
    };
    for (const PlainLayer& layer : gradient.layers) {
      add(layer.weight);
      add(layer.bias);
      if (!layer.slope.empty()) add(layer.slope);
    }
    return gradient.loss;
  }

 private:
  const Architecture& architecture_;
  PatchStep step_;
};

}  // namespace

torch::Tensor low_resolution(PatchBatch& patches, torch::Device device) {
  return to_float(patches.lr, patches.count, patches.size, device);
}

torch::Tensor high_resolution(PatchBatch& patches, torch::Device device) {
  return to_float(patches.hr, patches.count, patches.size * patches.scale, device);
}

double differentiate(const std::vector<NamedTensor>& values, const LossOf& loss,
                     std::vector<torch::Tensor>& gradients) {
  std::vector<NamedTensor> leaves;
  torch::autograd::variable_list inputs;
  for (const NamedTensor& value : values) {
    leaves.push_back({value.name, value.tensor.detach().requires_grad_(true)});
    inputs.push_back(leaves.back().tensor);
  }
  const torch::Tensor whole = loss(leaves);
  gradients = torch::autograd::grad({whole}, inputs, {}, false, false, true);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = torch::zeros_like(inputs[i]);
  }
  return whole.item<double>();
}

torch::Tensor loss_of(const torch::Tensor& output, const torch::Tensor& target, LossKind kind) {
  const torch::Tensor d = output - target;
  switch (kind) {
    case LossKind::kAbsolute:
      return d.abs().mean();
    case LossKind::kSquared:
      return d.square().mean();
    case LossKind::kLogSquared:
      break;
  }
  return (d.square().mean({1, 2, 3}) / kLogFloor).log1p().mean();
}

std::unique_ptr<GradientSource> make_gradient_source(const Trainable& network, int patch, bool portable) {
  const Architecture* stack = network.plain_stack();
  const bool on_cpu = network.parameters().front().tensor.is_cpu();
  if (stack != nullptr && on_cpu && !portable && patch_step_supported(*stack, patch)) {
    return std::make_unique<StackGradientSource>(*stack, patch);
  }
  return std::make_unique<TorchGradient>(network);
}

}  // namespace coco::tune
