// Purpose: tensors of their own.
#pragma once

#include <vector>

#include "tune/trainable.h"

namespace coco::tune {

/// The same values in memory of their own, without what they were computed from.
inline std::vector<NamedTensor> copies(const std::vector<NamedTensor>& tensors) {
  std::vector<NamedTensor> all;
  for (const NamedTensor& t : tensors) all.push_back({t.name, t.tensor.detach().clone()});
  return all;
}

}  // namespace coco::tune
