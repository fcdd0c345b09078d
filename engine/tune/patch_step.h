// Purpose: loss and gradient of a plain stack on luma patches, written for the processor: one patch at a time stays in
// the cache through forward and backward, several times faster than a general tensor library on such narrow layers.
#pragma once

#include <cstdint>
#include <vector>

#include "tune/aligned.h"
#include "tune/architecture.h"
#include "tune/dataset.h"
#include "tune/options.h"
#include "tune/patch_kernels.h"

namespace coco::tune {

/// Whether this processor and these sizes are served; otherwise the same numbers come from libtorch.
bool patch_step_supported(const Architecture& architecture, int patch);

/// Gradients of the mean loss, in the layout of PlainNet.
struct StackGradient {
  double loss = 0;
  std::vector<PlainLayer> layers;
};

class PatchStep {
 public:
  /// patch_step_supported() must hold.
  PatchStep(const Architecture& architecture, int patch);

  /// Mean loss over the batch and its gradient; single-threaded, the same result every time. The returned object is
  /// reused by the next call.
  const StackGradient& run(const PlainNet& net, const PatchBatch& batch, LossKind loss);

 private:
  struct LayerBuffers {
    PackedConv packed, packed_back;
    AlignedVector<float> before, after;  ///< padded planes before and after PReLU
    AlignedVector<float> gradient;       ///< of `before`, padded planes
  };

  void pack(const PlainNet& net);
  void load_patch(const PatchBatch& batch, size_t index);
  void forward(const PlainNet& net);
  double difference(bool squared);
  double loss_gradient(LossKind loss, int patches);
  void backward(const PlainNet& net);
  const float* input_of(size_t layer) const;

  Architecture architecture_;
  int patch_;
  int64_t stride_, plane_, origin_;  ///< of a padded plane; origin_ is the offset of pixel (0, 0)
  AlignedVector<float> input_;       ///< padded plane
  std::vector<float> residual_;      ///< HR minus the bilinear base, [scale patch]^2
  std::vector<LayerBuffers> layers_;
  StackGradient gradient_;
};

}  // namespace coco::tune
