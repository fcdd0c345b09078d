#include "tune/qat/distill.h"

#include <torch/csrc/autograd/autograd.h>

namespace coco::tune {
namespace {

torch::Tensor to_float(std::vector<uint8_t>& bytes, int count, int size, torch::Device device) {
  const torch::Tensor all = torch::from_blob(bytes.data(), {count, 1, size, size}, torch::kUInt8);
  return all.to(device).to(torch::kFloat32).mul_(1.0 / 255.0);
}

class DistillingSource : public GradientSource {
 public:
  DistillingSource(const Trainable& student, const Trainable& teacher, double share)
      : student_(student), teacher_(teacher), share_(share) {}

  double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind kind,
             std::vector<torch::Tensor>& gradients) override {
    std::vector<NamedTensor> leaves;
    torch::autograd::variable_list inputs;
    for (const NamedTensor& value : values) {
      leaves.push_back({value.name, value.tensor.detach().requires_grad_(true)});
      inputs.push_back(leaves.back().tensor);
    }
    const torch::Device device = values.front().tensor.device();
    const torch::Tensor input = to_float(patches.lr, patches.count, patches.size, device);
    torch::Tensor target = to_float(patches.hr, patches.count, patches.size * patches.scale, device);
    {
      const torch::NoGradGuard no_grad;
      target.lerp_(teacher_.forward(teacher_.deployed(), input), share_);
    }
    const torch::Tensor loss = loss_of(student_.forward(leaves, input), target, kind);
    gradients = torch::autograd::grad({loss}, inputs, {}, false, false, true);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) gradients[i] = torch::zeros_like(inputs[i]);
    }
    return loss.item<double>();
  }

 private:
  const Trainable& student_;
  const Trainable& teacher_;
  double share_;
};

}  // namespace

std::unique_ptr<GradientSource> make_distilling_source(const Trainable& student, const Trainable& teacher,
                                                       double share) {
  return std::make_unique<DistillingSource>(student, teacher, share);
}

}  // namespace coco::tune
