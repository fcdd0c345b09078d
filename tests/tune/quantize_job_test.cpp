#include "apps/cocopipe-tune/job_quantize.h"

#include "catch.h"
#include "tests/tune/job_files.h"

using namespace coco;
using namespace coco::jobs;
using namespace coco::jobs::testing;

namespace {

Result<QuantizeJob> read(const std::string& text) {
  COCO_ASSIGN(const JobTree tree, parse_job_tree(text, "job.yaml", {}));
  return read_quantize_job(tree);
}

}  // namespace

TEST_CASE("a job of quantize says everything") {
  const auto job = read(R"(
init: models/mine.onnx
data: {train: pictures}
schedule: {iterations: 12, rate: 1e-4}
quantize: {precision: auto, max_loss: 0.1, learn_gains: true, learn_ranges: true, distill: 0.25}
card: {description: small, licence: Apache-2.0, training_data: photographs}
)");
  INFO((job.ok() ? "" : job.error().message));
  REQUIRE(job.ok());
  CHECK(job->train.init == "models/mine.onnx");
  CHECK(job->train.name == "mine-int8");
  CHECK(job->train.options.iterations == 12);
  CHECK(job->settings.precision == Precision::kAuto);
  CHECK(job->settings.max_loss_db == 0.1);
  CHECK(job->settings.training.learn_gains);
  CHECK(job->settings.training.learn_ranges);
  CHECK(job->settings.distill == 0.25);
  CHECK(job->card.licence == "Apache-2.0");
}

TEST_CASE("what does not fit in a job of quantize is named") {
  const auto message = [](const std::string& text) {
    const auto job = read(text);
    REQUIRE_FALSE(job.ok());
    return job.error().message;
  };
  CHECK(message("data: {train: pictures}\n").find("'init:'") != std::string::npos);
  CHECK(message("init: a.onnx\ndata: {train: p}\nquantize: {distill: 2}\n").find("job.yaml:3") != std::string::npos);
  CHECK(message("init: a.onnx\ndata: {train: p}\nquantize: {bits: 4}\n").find("'bits'") != std::string::npos);
  CHECK(message("init: a.onnx\narchitecture: sr2x-s\ndata: {train: p}\n").find("'architecture'") != std::string::npos);
}

TEST_CASE("the quantization jobs of the shipped networks are read") {
  const size_t count = for_shipped_jobs("quantize", [](const JobTree& tree, const std::filesystem::path&) {
    const auto job = read_quantize_job(tree);
    INFO((job.ok() ? "" : job.error().message));
    CHECK(job.ok());
  });
  CHECK(count >= 1);
}
