#include "tune/qat/distill.h"

namespace coco::tune {
namespace {

class DistillingSource : public GradientSource {
 public:
  DistillingSource(const Trainable& student, const Trainable& teacher, double share)
      : student_(student), teacher_(teacher), share_(share) {}

  double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind kind,
             std::vector<torch::Tensor>& gradients) override {
    const torch::Device device = values.front().tensor.device();
    const torch::Tensor input = low_resolution(patches, device);
    torch::Tensor target = high_resolution(patches, device);
    {
      const torch::NoGradGuard no_grad;
      target.lerp_(teacher_.forward(teacher_.deployed(), input), share_);
    }
    const auto loss = [&](const std::vector<NamedTensor>& v) {
      return loss_of(student_.forward(v, input), target, kind);
    };
    return differentiate(values, loss, gradients);
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
