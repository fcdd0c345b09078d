#include "apps/cocopipe-tune/job_quantize.h"

#include "apps/cocopipe-tune/job_parts.h"

namespace coco::jobs {
namespace {

void read_settings(const JobSource& source, MapReader& job, tune::QuantizeSettings& settings) {
  const loader::YamlNode* node = job.map("quantize");
  if (node == nullptr) return;
  MapReader reader(source, *node, "'quantize'");
  reader.choice("precision", settings.precision,
                {std::pair{"int8", Precision::kInt8}, std::pair{"auto", Precision::kAuto}});
  reader.number("max_loss", settings.max_loss_db, 0, 100);
  reader.flag("learn_gains", settings.training.learn_gains);
  reader.flag("learn_ranges", settings.training.learn_ranges);
  reader.number("distill", settings.distill, 0, 1);
  finish_inner(job, reader);
}

}  // namespace

Result<QuantizeJob> read_quantize_job(const JobTree& tree) {
  MapReader reader(tree.source, tree.root, "the job");
  QuantizeJob job;
  job.train = read_trained_job(tree.source, reader, "-int8");
  read_settings(tree.source, reader, job.settings);
  read_card(tree.source, reader, job.card);
  COCO_TRY(reader.finish());
  return job;
}

}  // namespace coco::jobs
