#include "tune/patch_task.h"

#include "tune/evaluate_network.h"

namespace coco::tune {

PatchTask::PatchTask(const Trainable& network, GradientSource* gradients, const TrainOptions& options,
                     const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation)
    : network_(network), gradients_(gradients), options_(options), images_(images), validation_(validation) {
  if (gradients_ == nullptr) {
    own_gradients_ = make_gradient_source(network, options.patch, options.portable);
    gradients_ = own_gradients_.get();
  }
}

double PatchTask::step(const std::vector<NamedTensor>& values, int64_t iteration, Random& random,
                       std::vector<torch::Tensor>& gradients) {
  const ImagePair& any = images_.front();
  sample_patches(images_, options_.batch, options_.patch, any.hr.width / any.lr.width, random, patches_);
  return gradients_->run(values, patches_, loss_at(options_, iteration), gradients);
}

Result<std::vector<std::pair<std::string, double>>> PatchTask::validate(const std::vector<NamedTensor>& values) {
  std::vector<std::pair<std::string, double>> figures;
  if (validation_.empty()) return figures;
  COCO_ASSIGN(const Figures measured, evaluate(network_, values, validation_));
  figures = {{"psnr_y", measured.psnr_y}, {"ssim_y", measured.ssim_y}};
  return figures;
}

}  // namespace coco::tune
