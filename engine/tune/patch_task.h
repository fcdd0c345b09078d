// Purpose: super-resolution as a task: patches of pictures, the loss of the options, PSNR and SSIM.
#pragma once

#include <memory>
#include <vector>

#include "tune/gradient.h"
#include "tune/training_task.h"

namespace coco::tune {

class PatchTask : public TrainingTask {
 public:
  /// Borrows everything. Null `gradients`: the options' loss of the network's output against the patches' targets.
  PatchTask(const Trainable& network, GradientSource* gradients, const TrainOptions& options,
            const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation);

  double step(const std::vector<NamedTensor>& values, int64_t iteration, Random& random,
              std::vector<torch::Tensor>& gradients) override;
  Result<std::vector<std::pair<std::string, double>>> validate(const std::vector<NamedTensor>& values) override;

 private:
  const Trainable& network_;
  GradientSource* gradients_;
  std::unique_ptr<GradientSource> own_gradients_;
  const TrainOptions& options_;
  const std::vector<ImagePair>& images_;
  const std::vector<ImagePair>& validation_;
  PatchBatch patches_;
};

}  // namespace coco::tune
