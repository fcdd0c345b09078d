#include "apps/cocopipe-tune/job_degrade.h"

#include "apps/filejob/degrade.h"
#include "base/random.h"

namespace coco::jobs {
namespace {

void read_range(MapReader& reader, const char* key, DegradeJob::Range& range, double low, double high) {
  std::vector<double> values;
  reader.numbers(key, values, low, high);
  const loader::YamlNode* node = reader.find(key);
  if (node == nullptr || reader.failed()) return;
  if (values.size() != 2 || values[0] > values[1]) {
    reader.fail(node->position, "'" + std::string(key) + "' must be a lowest and a highest value: [low, high]");
    return;
  }
  range = {values[0], values[1]};
}

double draw(const DegradeJob::Range& range, Random& random) {
  return range[0] + (range[1] - range[0]) * random.uniform();
}

Result<quality::Plane8> draw_copy(const DegradeJob& job, const quality::Plane8& lr, Random& random) {
  if (random.uniform() < job.clean) return lr;
  filejob::Degradation how;
  how.crf = draw(job.crf, random);
  how.noise = draw(job.noise, random);
  how.blur = draw(job.blur, random);
  how.place = static_cast<int>(random.below(filejob::kClipFrames));
  return filejob::degrade(lr, how, random.next());
}

}  // namespace

void read_degrade(const JobSource& source, MapReader& data, std::optional<DegradeJob>& degrade) {
  const loader::YamlNode* node = data.map("degrade");
  if (node == nullptr) return;
  MapReader reader(source, *node, "'degrade'");
  DegradeJob& job = degrade.emplace();
  read_range(reader, "crf", job.crf, 0, 51);
  read_range(reader, "noise", job.noise, 0, 50);
  read_range(reader, "blur", job.blur, 0, 5);
  reader.number("clean", job.clean, 0, 1);
  reader.whole("copies", job.copies, 1, 64);
  reader.number("measured_crf", job.measured_crf, 0, 51);
  Status status = reader.finish();
  if (!status.ok()) data.adopt(status.take_error());
}

Status degrade_training(const DegradeJob& job, uint64_t seed, std::vector<tune::ImagePair>& images) {
  Random random(seed);
  for (tune::ImagePair& image : images) {
    for (int i = 0; i < job.copies; ++i) {
      COCO_ASSIGN(quality::Plane8 copy, draw_copy(job, image.lr, random));
      image.degraded.push_back(std::move(copy));
    }
  }
  return {};
}

Status degrade_measured(double crf, std::vector<tune::ImagePair>& images) {
  for (size_t i = 0; i < images.size(); ++i) {
    COCO_ASSIGN(images[i].lr, filejob::degrade(images[i].lr, {0, 0, crf}, i));
  }
  return {};
}

}  // namespace coco::jobs
