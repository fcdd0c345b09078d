#include "apps/cocopipe-tune/job.h"

#include <filesystem>

#include "apps/cocopipe-tune/job_parts.h"
#include "base/mapped_file.h"
#include "pipelines/loader/message.h"
#include "tune/architecture.h"

namespace coco::jobs {
namespace {

using Init = tune::NetworkSource::Init;

constexpr size_t kMostModelBytes = size_t{1} << 31;

void read_data(const JobSource& source, MapReader& job, DataJob& data) {
  const loader::YamlNode* node = job.map("data");
  if (node == nullptr) {
    job.fail(job.position(), "no 'data:'; its 'train:' names the folder of training images");
    return;
  }
  MapReader reader(source, *node, "'data'");
  reader.texts("train", data.train);
  reader.texts("validation", data.validation);
  reader.text("benchmarks", data.benchmarks);
  reader.numbers("shrink", data.shrink, 0.1, 0.99);
  reader.whole("fewest_images", data.fewest, 1, 1000000);
  read_degrade(source, reader, data.degrade);
  if (data.train.empty()) reader.fail(node->position, "no 'train:' in 'data'; it names the folder of training images");
  finish_inner(job, reader);
}

void take_whole(TrainJob& job) {
  job.network.init = Init::kWhole;
  job.network.architecture.name = std::filesystem::path(job.init).stem().string();
}

void read_network(const JobSource& source, MapReader& job, TrainJob& result) {
  tune::NetworkSource& network = result.network;
  network.init = result.init.empty() ? Init::kNone : Init::kStart;
  if (const loader::YamlNode* node = job.find("architecture")) {
    Status status = read_architecture(source, *node, network.architecture);
    if (!status.ok()) job.adopt(status.take_error());
  } else if (!result.init.empty()) {
    take_whole(result);
  } else {
    job.fail(job.position(), "no 'architecture:'; give a preset (" + loader::join(tune::architecture_names()) +
                                 ") or describe one, or name a model to train in 'init:'");
  }
  job.choice("branches", network.branches,
             {std::pair{"plain", tune::Branches::kPlain}, std::pair{"rich", tune::Branches::kRich}});
}

}  // namespace

TrainJob read_shared_job(const JobSource& source, MapReader& reader) {
  TrainJob job;
  int task = 0;
  int64_t seed = 1;
  reader.choice("task", task, {std::pair{"super-resolution", 0}});
  reader.text("name", job.name);
  reader.text("init", job.init);
  read_data(source, reader, job.data);
  read_schedule(source, reader, job.options);
  read_optimizer(source, reader, job.options.optimizer);
  reader.whole("seed", seed, 0, INT64_MAX);
  reader.whole("threads", job.threads, 1, 1024);
  reader.flag("portable", job.options.portable);
  reader.choice("device", job.options.cuda, {std::pair{"cpu", false}, std::pair{"cuda", true}});
  job.options.seed = static_cast<uint64_t>(seed);
  if (job.name.find('/') != std::string::npos) reader.fail(reader.position(), "'name' must not contain '/'");
  return job;
}

TrainJob read_trained_job(const JobSource& source, MapReader& reader, const char* suffix) {
  TrainJob job = read_shared_job(source, reader);
  if (job.init.empty()) {
    reader.fail(reader.position(), "no 'init:'; it names the trained network, an .onnx file or a checkpoint (.pt)");
  }
  take_whole(job);
  if (job.name.empty()) job.name = job.network.architecture.name + suffix;
  return job;
}

Result<TrainJob> read_train_job(const JobTree& tree) {
  MapReader reader(tree.source, tree.root, "the job");
  TrainJob job = read_shared_job(tree.source, reader);
  read_network(tree.source, reader, job);
  if (job.name.empty()) job.name = job.network.architecture.name;
  COCO_TRY(reader.finish());
  return job;
}

Result<std::string> read_model(const std::string& path) {
  if (std::filesystem::path(path).extension() == ".pt") return tune::load_trained(path);
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMostModelBytes));
  return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
}

}  // namespace coco::jobs
