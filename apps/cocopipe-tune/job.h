// Purpose: what a training job file says. docs/tune.md is its reference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cocopipe-tune/job_degrade.h"
#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/status.h"
#include "tune/options.h"
#include "tune/trainer.h"

namespace coco::jobs {

struct DataJob {
  std::vector<std::string> train, validation;  ///< folders of images, or images
  std::string benchmarks;                      ///< a folder of folders; empty: none
  std::vector<double> shrink;                  ///< factors of additional, shrunk copies
  int fewest = 10;                             ///< usable training images, else the job stops
  std::optional<DegradeJob> degrade;           ///< of the low resolution; none: it stays clean
};

struct TrainJob {
  std::string name;  ///< of the result; the network's when not given
  tune::NetworkSource network;
  std::string init;  ///< ONNX model or checkpoint that is trained on; empty: none
  DataJob data;
  tune::TrainOptions options;
  int threads = 1;
};

/// Reads the keys that all jobs share, which leave the network open. What else a command takes it reads from `reader`
/// itself, before or after; whoever reads last calls finish().
TrainJob read_shared_job(const JobSource& source, MapReader& reader);

/// The same for a command that takes a trained network (`init`), whole; without a name the result is called as that
/// and `suffix`.
TrainJob read_trained_job(const JobSource& source, MapReader& reader, const char* suffix);

/// The whole job of `train`.
Result<TrainJob> read_train_job(const JobTree& tree);

/// A trained network, serialised as ONNX: an .onnx file, or a checkpoint (.pt) of this program.
Result<std::string> read_model(const std::string& path);

/// A preset's name, or a description.
Status read_architecture(const JobSource& source, const loader::YamlNode& node, tune::Architecture& architecture);

}  // namespace coco::jobs
