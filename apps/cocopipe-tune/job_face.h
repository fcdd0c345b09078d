// Purpose: what a job file of a face network says. docs/tune.md is its reference.
#pragma once

#include <string>

#include "apps/cocopipe-tune/yaml_map.h"
#include "tune/face/face_training.h"

namespace coco::jobs {

struct FaceJobFile {
  std::string name;
  tune::FaceJob job;
  ModelCard card;
  int threads = 1;
};

Result<FaceJobFile> read_face_job(const JobTree& tree);

}  // namespace coco::jobs
