#include "apps/cocopipe-tune/job_face.h"

#include "apps/cocopipe-tune/job_parts.h"

namespace coco::jobs {
namespace {

void read_data(const JobSource& source, MapReader& job, tune::FaceDataOptions& data) {
  const loader::YamlNode* node = job.map("data");
  if (node == nullptr) {
    job.fail(job.position(), "no 'data:'; its 'faces:' names the folder that holds ict-facekit and makehuman");
    return;
  }
  MapReader reader(source, *node, "'data'");
  reader.text("faces", data.faces);
  reader.text("backgrounds", data.backgrounds);
  reader.whole("count", data.count, 1, 10000000);
  reader.whole("validation", data.validation, 1, 1000000);
  reader.whole("size", data.size, 64, 1024);
  if (data.faces.empty()) {
    reader.fail(node->position, "no 'faces:' in 'data'; it names the folder that holds ict-facekit and makehuman");
  }
  finish_inner(job, reader);
}

}  // namespace

Result<FaceJobFile> read_face_job(const JobTree& tree) {
  MapReader reader(tree.source, tree.root, "the job");
  FaceJobFile file;
  file.job.options.optimizer.kind = tune::OptimizerKind::kAdam;
  file.job.options.optimizer.beta1 = 0.9;
  file.job.options.optimizer.beta2 = 0.999;
  file.job.options.batch = 64;
  file.job.options.learning_rate = 1e-3;
  reader.choice(
      "task", file.job.network,
      {std::pair{"face-landmarks", tune::FaceNetwork::kLandmarks}, std::pair{"face-mask", tune::FaceNetwork::kMask}});
  if (reader.find("task") == nullptr) reader.fail(reader.position(), "no 'task:'; give face-landmarks or face-mask");
  file.name = file.job.network == tune::FaceNetwork::kLandmarks ? "face-landmarks" : "face-mask";
  reader.text("name", file.name);
  int64_t seed = 1;
  read_data(tree.source, reader, file.job.data);
  read_schedule(tree.source, reader, file.job.options);
  read_optimizer(tree.source, reader, file.job.options.optimizer);
  read_card(tree.source, reader, file.card);
  reader.whole("calibration", file.job.calibration, 1, 10000);
  reader.whole("seed", seed, 0, INT64_MAX);
  reader.whole("threads", file.threads, 1, 1024);
  file.job.options.seed = static_cast<uint64_t>(seed);
  if (file.name.find('/') != std::string::npos) reader.fail(reader.position(), "'name' must not contain '/'");
  COCO_TRY(reader.finish());
  return file;
}

}  // namespace coco::jobs
