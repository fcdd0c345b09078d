#include "apps/cocopipe-tune/job_explore.h"

#include "apps/cocopipe-tune/job.h"
#include "catch.h"
#include "tests/tune/job_files.h"

using namespace coco;
using namespace coco::jobs;
using namespace coco::jobs::testing;
using namespace coco::tune;

namespace {

struct ExploreJob {
  ExploreOptions options;
  EngineTimeOptions time;
};

Result<ExploreJob> read(const std::string& text) {
  COCO_ASSIGN(const JobTree tree, parse_job_tree(text, "job.yaml", {}));
  ExploreJob job;
  COCO_TRY(read_exploring(tree.source, tree.root, job.options, job.time));
  return job;
}

}  // namespace

TEST_CASE("a job of explore says everything") {
  const auto job = read(R"(
modules: [conv1, conv2]
choices: [{shape: dense}, {keep: 6/9}, {shape: punched, block: 4, keep: 0.5, per: layer}]
configurations: 7
patterns: 3
objective: {psnr: 36.5}
pretrain_blocks: false
block_steps: 11
steps: 12
measure: {width: 64, height: 48, threads: 1, runs: 5, passes: 2, tolerance: 0.05}
)");
  REQUIRE(job.ok());
  const ExploreOptions& o = job->options;
  REQUIRE(o.modules.size() == 2);
  CHECK(o.modules[1].layer == "conv2");
  REQUIRE(o.modules[1].choices.size() == 3);
  CHECK(o.modules[1].choices[0].kind == PruneKind::kDense);
  CHECK(o.modules[1].choices[1] == PruneSpec{PruneKind::kPattern, 8, 6. / 9, false, false, 1});
  CHECK(o.modules[1].choices[2] == PruneSpec{PruneKind::kPunched, 4, 0.5, true, false, 1});
  CHECK(o.most == 7);
  CHECK(o.patterns == 3);
  CHECK(o.objective.kind == ObjectiveKind::kSmallestTime);
  CHECK(o.objective.limit == 36.5);
  CHECK(o.objective.tolerance == 0.05);
  CHECK_FALSE(o.blocks);
  CHECK(o.block_iterations == 11);
  CHECK(o.tuning_iterations == 12);
  CHECK(o.passes == 2);
  CHECK(job->time.width == 64);
  CHECK(job->time.height == 48);
  CHECK(job->time.threads == 1);
  CHECK(job->time.runs == 5);
}

TEST_CASE("modules may have choices of their own, and the objective may be a time") {
  const auto job = read(
      "modules: {conv1: [{shape: dense}], conv3: [{keep: 4/9}, {keep: 3/9}]}\n"
      "objective: {milliseconds: 5, patience: 3}\n");
  REQUIRE(job.ok());
  REQUIRE(job->options.modules.size() == 2);
  CHECK(job->options.modules[0].choices.size() == 1);
  CHECK(job->options.modules[1].choices.size() == 2);
  CHECK(job->options.objective.kind == ObjectiveKind::kBestQuality);
  CHECK(job->options.objective.limit == 5);
  CHECK(job->options.objective.patience == 3);
  CHECK(job->options.objective.tolerance == 0.04);
  CHECK(job->options.blocks);
}

TEST_CASE("what does not fit in a job of explore is named with its place") {
  const std::string some = "modules: [a]\nchoices: [{shape: dense}]\n", whole = some + "objective: {psnr: 3}\n";
  REQUIRE(read(whole).ok());
  const std::vector<Refusal> refusals = {
      {"objective: {psnr: 3}\n", "no list 'modules:'"},
      {"modules: conv1\nobjective: {psnr: 3}\n", "job.yaml:1:10: no list 'modules:'"},
      {"modules: [[a]]\nchoices: [{shape: dense}]\nobjective: {psnr: 3}\n", "job.yaml:1:11: 'modules' must be"},
      {"modules: [a]\nobjective: {psnr: 3}\n", "no 'choices:'"},
      {"modules: [a]\nchoices: {shape: dense}\nobjective: {psnr: 3}\n", "job.yaml:2:10: 'choices' must be a list"},
      {"modules: {a: []}\nobjective: {psnr: 3}\n", "job.yaml:1:14: 'a' must be a list of shapes"},
      {"modules: {a: [{kep: 1}]}\nobjective: {psnr: 3}\n", "unknown key 'kep' in a choice of 'a'"},
      {"modules: {a: [{keep: 2}]}\nobjective: {psnr: 3}\n", "'keep' must be a share"},
      {some, "no 'objective:'; give 'psnr: X'"},
      {some + "objective: {}\n", "job.yaml:3:12: 'objective' has one of"},
      {some + "objective: {psnr: 3, milliseconds: 4}\n", "job.yaml:3:12: 'objective' has one of"},
      {some + "objective: {psrn: 3}\n", "job.yaml:3:13: unknown key 'psrn' in 'objective' (did you mean 'psnr'?)"},
      {some + "objective: {psnr: 3, patience: 0}\n", "job.yaml:3:32: 'patience' must be"},
      {whole + "measure: {runs: 0}\n", "job.yaml:4:17: 'runs' must be"},
      {whole + "measure: {passes: x}\n", "'passes' must be"},
      {whole + "steps: 0\n", "job.yaml:4:8: 'steps' must be"},
      {whole + "pretrain_bloks: false\n", "job.yaml:4:1: unknown key 'pretrain_bloks' in 'explore' (did you mean"},
  };
  check_refused(refusals, [](const std::string& text) { return read(text); });
}

TEST_CASE("the jobs of explore that are shipped are read") {
  const size_t count = for_shipped_jobs("explore", [](const JobTree& tree, const std::filesystem::path& path) {
    MapReader reader(tree.source, tree.root, "the job");
    ExploreJob job;
    const loader::YamlNode* node = reader.map("explore");
    REQUIRE(node != nullptr);
    const Status status = read_exploring(tree.source, *node, job.options, job.time);
    INFO((status.ok() ? "" : status.error().message));
    CHECK(status.ok());
    CHECK(read_trained_job(tree.source, reader, "").name == path.stem().string());
    CHECK(reader.finish().ok());
  });
  CHECK(count >= 1);
}
