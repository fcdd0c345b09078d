#include "apps/cocopipe-tune/job_parts.h"

namespace coco::jobs {
namespace {

using tune::LossKind;
using tune::OptimizerKind;

constexpr int64_t kManySteps = 1000000000;

}  // namespace

void finish_inner(MapReader& outer, MapReader& inner) {
  Status status = inner.finish();
  if (!status.ok()) outer.adopt(status.take_error());
}

void read_schedule(const JobSource& source, MapReader& job, tune::TrainOptions& o) {
  const loader::YamlNode* node = job.map("schedule");
  if (node == nullptr) return;
  MapReader reader(source, *node, "'schedule'");
  reader.whole("iterations", o.iterations, 1, kManySteps);
  reader.whole("batch", o.batch, 1, 4096);
  reader.whole("patch", o.patch, 4, 1024);
  reader.number("rate", o.learning_rate, 1e-12, 1e6);
  reader.whole("warmup", o.warmup, 0, kManySteps);
  const auto losses = {std::pair{"absolute", LossKind::kAbsolute}, std::pair{"squared", LossKind::kSquared},
                       std::pair{"log", LossKind::kLogSquared}};
  reader.choice("loss", o.loss, losses);
  reader.choice("last_loss", o.last_loss, losses);
  reader.number("last_share", o.last_share, 0, 1);
  reader.number("average", o.average_decay, 0, 0.999999);
  reader.whole("validate_every", o.validate_every, 1, kManySteps);
  reader.whole("checkpoint_every", o.checkpoint_every, 1, kManySteps);
  finish_inner(job, reader);
}

void read_optimizer(const JobSource& source, MapReader& job, tune::OptimizerOptions& o) {
  const loader::YamlNode* node = job.map("optimizer");
  if (node == nullptr) return;
  MapReader reader(source, *node, "'optimizer'");
  reader.choice("kind", o.kind, {std::pair{"adam", OptimizerKind::kAdam}, std::pair{"soap", OptimizerKind::kSoap}});
  reader.number("beta1", o.beta1, 0, 0.999999);
  reader.number("beta2", o.beta2, 0, 0.999999);
  reader.number("beta_factors", o.beta_factors, 0, 0.999999);
  reader.number("epsilon", o.epsilon, 0, 1);
  reader.whole("refresh", o.refresh, 1, 1000000);
  finish_inner(job, reader);
}

void read_card(const JobSource& source, MapReader& job, ModelCard& card) {
  const loader::YamlNode* node = job.map("card");
  if (node == nullptr) return;
  MapReader reader(source, *node, "'card'");
  reader.text("description", card.description);
  reader.text("licence", card.licence);
  reader.text("training_data", card.training_data);
  reader.text("command", card.command);
  finish_inner(job, reader);
}

}  // namespace coco::jobs
