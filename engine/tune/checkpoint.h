// Purpose: named tensors and texts in one file, written completely or not at all.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>

#include "coco/status.h"

namespace coco::tune {

struct Checkpoint {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, std::string> texts;

  /// kInvalidData when there is none of that name.
  Result<torch::Tensor> tensor(const std::string& name) const;
  Result<std::string> text(const std::string& name) const;
};

Status save_checkpoint(const Checkpoint& checkpoint, const std::string& path);

/// kNotFound without the file, kInvalidData when it is not a checkpoint or is damaged.
Result<Checkpoint> load_checkpoint(const std::string& path);

}  // namespace coco::tune
