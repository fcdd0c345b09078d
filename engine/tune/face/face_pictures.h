// Purpose: what a face job is trained on and judged by.
#pragma once

#include "tune/face/face_data.h"

namespace coco::tune {

class FacePictures {
 public:
  std::vector<FacePicture> training, validation;
};

/// Pixels a side of a network's input.
int crop_size(FaceNetwork network);

}  // namespace coco::tune
