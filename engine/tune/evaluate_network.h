// Purpose: PSNR and SSIM of a network that is being trained, by libtorch.
#pragma once

#include <vector>

#include "tune/evaluate.h"
#include "tune/trainable.h"

namespace coco::tune {

/// As evaluate(model, images), of the network with these deployed numbers. The scale is that of the pairs.
Result<Figures> evaluate(const Trainable& network, const std::vector<NamedTensor>& deployed,
                         const std::vector<ImagePair>& images);

}  // namespace coco::tune
