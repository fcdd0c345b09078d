// Purpose: hostile and broken ONNX models: for the importer's tests, and as seeds of its fuzz target.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::testing {

struct BadModel {
  std::string name;
  std::string bytes;
  std::vector<ErrorCode> codes;    ///< any of them
  std::vector<std::string> words;  ///< the message holds every one
};

std::vector<BadModel> bad_models();

}  // namespace coco::testing
