#include "apps/cocopipe-tune/job.h"

#include <filesystem>

#include "catch.h"
#include "tests/tune/job_files.h"
#include "tests/tune/synthetic.h"

using namespace coco;
using namespace coco::jobs;
using namespace coco::jobs::testing;
using namespace coco::tune;
using coco::tune::testing::make_images;

namespace {

Result<TrainJob> read(const std::string& text, const std::vector<std::string>& settings = {}) {
  COCO_ASSIGN(const JobTree tree, parse_job_tree(text, "job.yaml", settings));
  return read_train_job(tree);
}

constexpr const char* kSmall = "architecture: sr2x-s\ndata: {train: pictures}\n";

}  // namespace

TEST_CASE("a job says everything") {
  const auto job = read(R"(
task: super-resolution
name: mine
architecture: sr2x-m
branches: rich
data:
  train: [a, b/c.png]
  validation: v
  benchmarks: sets
  shrink: [0.5, 0.7]
  fewest_images: 3
schedule: {iterations: 12, batch: 2, patch: 24, rate: 3e-3, warmup: 4, loss: squared, last_loss: log,
           last_share: 0.25, average: 0.5, validate_every: 6, checkpoint_every: 7}
optimizer: {kind: adam, beta1: 0.9, beta2: 0.8, beta_factors: 0.7, epsilon: 1e-6, refresh: 3}
seed: 18446744073709551
threads: 2
portable: true
device: cuda
)");
  REQUIRE(job.ok());
  CHECK(job->name == "mine");
  CHECK(job->network.architecture == find_architecture("sr2x-m").value());
  CHECK(job->network.branches == Branches::kRich);
  CHECK(job->data.train == std::vector<std::string>{"a", "b/c.png"});
  CHECK(job->data.validation == std::vector<std::string>{"v"});
  CHECK(job->data.benchmarks == "sets");
  CHECK(job->data.shrink == std::vector<double>{0.5, 0.7});
  CHECK(job->data.fewest == 3);
  const TrainOptions& o = job->options;
  CHECK(o.iterations == 12);
  CHECK(o.batch == 2);
  CHECK(o.patch == 24);
  CHECK(o.learning_rate == 3e-3);
  CHECK(o.warmup == 4);
  CHECK(o.loss == LossKind::kSquared);
  CHECK(o.last_loss == LossKind::kLogSquared);
  CHECK(o.last_share == 0.25);
  CHECK(o.average_decay == 0.5);
  CHECK(o.validate_every == 6);
  CHECK(o.checkpoint_every == 7);
  CHECK(o.optimizer.kind == OptimizerKind::kAdam);
  CHECK(o.optimizer.beta1 == 0.9);
  CHECK(o.optimizer.beta2 == 0.8);
  CHECK(o.optimizer.beta_factors == 0.7);
  CHECK(o.optimizer.epsilon == 1e-6);
  CHECK(o.optimizer.refresh == 3);
  CHECK(o.seed == 18446744073709551u);
  CHECK(job->threads == 2);
  CHECK(o.portable);
  CHECK(o.cuda);
}

TEST_CASE("what a job leaves out has the defaults") {
  const auto job = read(kSmall);
  REQUIRE(job.ok());
  const TrainOptions defaults;
  CHECK(job->name == "sr2x-s");
  CHECK(job->options.iterations == defaults.iterations);
  CHECK(job->options.learning_rate == defaults.learning_rate);
  CHECK(job->options.seed == defaults.seed);
  CHECK(job->network.branches == Branches::kPlain);
}

TEST_CASE("a model is trained on, alone or in an architecture") {
  using Init = NetworkSource::Init;
  const auto whole = read("init: runs/net.onnx\ndata: {train: pictures}\n");
  REQUIRE(whole.ok());
  CHECK(whole->network.init == Init::kWhole);
  CHECK(whole->name == "net");
  const auto start = read(std::string(kSmall) + "init: runs/a/checkpoint.pt\n");
  REQUIRE(start.ok());
  CHECK(start->network.init == Init::kStart);
  CHECK(start->name == "sr2x-s");
  CHECK(read_model(start->init).error().code == ErrorCode::kNotFound);
  CHECK(read_model("runs/a/net.onnx").error().code == ErrorCode::kNotFound);
}

TEST_CASE("low resolution is degraded as the job says") {
  CHECK_FALSE(read(kSmall)->data.degrade);
  const auto job = read(R"(
architecture: sr2x-s
data:
  train: pictures
  degrade: {crf: [20, 30], noise: [1, 1], blur: [0.1, 0.2], clean: 0.25, copies: 2, measured_crf: 24}
)");
  REQUIRE(job.ok());
  REQUIRE(job->data.degrade);
  CHECK(job->data.degrade->crf == DegradeJob::Range{20, 30});
  CHECK(job->data.degrade->noise == DegradeJob::Range{1, 1});
  CHECK(job->data.degrade->blur == DegradeJob::Range{0.1, 0.2});
  CHECK(job->data.degrade->clean == 0.25);
  CHECK(job->data.degrade->copies == 2);
  CHECK(job->data.degrade->measured_crf == 24);
  CHECK(read("architecture: sr2x-s\ndata: {train: a, degrade: {}}\n")->data.degrade->copies == DegradeJob().copies);
  const auto refusal = [](const std::string& keys) {
    return read("architecture: sr2x-s\ndata: {train: a, degrade: {" + keys + "}}\n").error().message;
  };
  CHECK(refusal("crf: [30, 20]").find("job.yaml:2:33: 'crf' must be a lowest and a highest value") == 0);
  CHECK(refusal("noise: [3]").find("'noise' must be a lowest and a highest value") != std::string::npos);
  CHECK(refusal("crf: 28").find("'crf' must be a list") != std::string::npos);
  CHECK(refusal("crf: [18, 60]").find("'crf' must be a number from 0 to 51") != std::string::npos);
  CHECK(refusal("blurr: [0, 1]").find("unknown key 'blurr' in 'degrade' (did you mean 'blur'?)") != std::string::npos);
}

TEST_CASE("degraded copies follow the seed; some stay clean; what is measured is coded at one crf") {
  const auto originals = make_images(3, 64, 7);
  DegradeJob job;
  job.clean = 0.4;
  job.copies = 8;
  const auto copies = [&](uint64_t seed) {
    auto images = originals;
    REQUIRE(degrade_training(job, seed, images).ok());
    return images;
  };
  const auto first = copies(1), again = copies(1), other = copies(2);
  int clean = 0;
  bool same = true, differs = false;
  for (size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].lr.data == originals[i].lr.data);
    REQUIRE(first[i].degraded.size() == 8);
    for (size_t k = 0; k < 8; ++k) {
      clean += first[i].degraded[k].data == originals[i].lr.data;
      same = same && first[i].degraded[k].data == again[i].degraded[k].data;
      differs = differs || first[i].degraded[k].data != other[i].degraded[k].data;
    }
  }
  CHECK(same);
  CHECK(differs);
  CHECK(clean > 2);
  CHECK(clean < 18);
  auto measured = originals;
  REQUIRE(degrade_measured(28, measured).ok());
  CHECK(measured[1].hr.data == originals[1].hr.data);
  CHECK(measured[1].lr.data != originals[1].lr.data);
  CHECK(measured[1].degraded.empty());
}

TEST_CASE("settings of the command line replace what the file says") {
  const auto job = read(kSmall, {"schedule.iterations=77", "data.shrink=[0.25]", "architecture=espcn", "seed=9"});
  REQUIRE(job.ok());
  CHECK(job->options.iterations == 77);
  CHECK(job->data.shrink == std::vector<double>{0.25});
  CHECK(job->network.architecture.name == "espcn");
  CHECK(job->options.seed == 9);
  CHECK(read(kSmall, {"schedule.iterations=many"}).error().message ==
        "--set schedule.iterations=many: 'iterations' must be a whole number from 1 to 1000000000, not 'many'");
  CHECK(read(kSmall, {"schedule.iteratons=5"})
            .error()
            .message.find("--set schedule.iteratons=5: unknown key 'iteratons'") == 0);
  CHECK(read(kSmall, {"seed"}).error().message.find("--set seed: give KEY=VALUE") == 0);
}

TEST_CASE("architectures are described") {
  const auto job = read(R"(
architecture:
  name: mixed
  scale: 2
  unshuffle: 2
  base: nearest
  layers:
    - {channels: 8, kernel: 5, activation: clip, clip: 0.5}
    - {kind: separable, channels: 12}
    - {kind: depthwise, activation: none}
    - {channels: 12, activation: relu, repeat: 2}
    - {}
data: {train: pictures}
)");
  REQUIRE(job.ok());
  LayerSpec first{4, 8, Activation::kClip, 5};
  first.clip = 0.5f;
  const std::vector<LayerSpec> expected = {first,
                                           {8, 8, Activation::kNone, 3, true},
                                           {8, 12, Activation::kPrelu, 1},
                                           {12, 12, Activation::kNone, 3, true},
                                           {12, 12, Activation::kRelu},
                                           {12, 12, Activation::kRelu},
                                           {12, 16}};
  CHECK(job->network.architecture.layers == expected);
  CHECK(job->network.architecture.base == Base::kNearest);
  CHECK(job->name == "mixed");
}

TEST_CASE("the presets can be described") {
  const auto architecture = [](const char* text) {
    return read(std::string("data: {train: p}\narchitecture: ") + text).value().network.architecture;
  };
  CHECK(architecture("{name: sr2x-m, layers: [{channels: 16, repeat: 5}, {}]}") == find_architecture("sr2x-m").value());
  CHECK(architecture("{name: espcn, base: none, layers: [{channels: 64, kernel: 5, activation: tanh},"
                     " {channels: 32, activation: tanh}, {}]}") == find_architecture("espcn").value());
  CHECK(architecture("{name: fsrcnn-deconvolution, base: none, end: deconvolution, layers: [{channels: 56, kernel: 5},"
                     " {channels: 12, kernel: 1}, {channels: 12, repeat: 4}, {channels: 56, kernel: 1}, {}]}") ==
        find_architecture("fsrcnn-deconvolution").value());
}

TEST_CASE("what does not fit is refused with its place and what there is") {
  const std::vector<Refusal> refusals = {
      {"", "job.yaml:1:1: the file is empty"},
      {"- a\n", "job.yaml:1:1: the job must be a mapping"},
      {"data: {train: a}\n", "no 'architecture:'; give a preset (sr2x-s, sr2x-m"},
      {"architecture: sr2x-s\n", "no 'data:'"},
      {"architecture: sr2x-s\ndata: {}\n", "job.yaml:2:7: no 'train:' in 'data'"},
      {"architecture: sr2x-x\ndata: {train: a}\n", "job.yaml:1:15: no architecture is called 'sr2x-x'"},
      {std::string(kSmall) + "sede: 1\n", "job.yaml:3:1: unknown key 'sede' in the job (did you mean 'seed'?); known"},
      {std::string(kSmall) + "schedule:\n  rate: fast\n", "job.yaml:4:9: 'rate' must be a number"},
      {std::string(kSmall) + "schedule:\n  rate: -1\n", "job.yaml:4:9: 'rate' must be a number"},
      {std::string(kSmall) + "schedule:\n  rate: nan\n", "job.yaml:4:9: 'rate' must be a number"},
      {std::string(kSmall) + "schedule:\n  batch: 2.5\n", "job.yaml:4:10: 'batch' must be a whole number"},
      {std::string(kSmall) + "schedule: [1]\n", "job.yaml:3:11: 'schedule' must be a mapping"},
      {std::string(kSmall) + "schedule: {loss: sqared}\n", "'loss' cannot be 'sqared' (did you mean 'squared'?)"},
      {std::string(kSmall) + "portable: maybe\n", "job.yaml:3:11: 'portable' cannot be 'maybe'"},
      {std::string(kSmall) + "name: a/b\n", "'name' must not contain '/'"},
      {std::string(kSmall) + "task: [x\n", "not valid YAML"},
      {"architecture: sr2x-s\ndata: {train: a, shrink: 0.5}\n", "job.yaml:2:26: 'shrink' must be a list"},
      {"architecture: sr2x-s\ndata: {train: a, shrink: [2]}\n", "job.yaml:2:27: 'shrink' must be a number from 0.1"},
      {"architecture: {layers: [{kernel: 3}, {}]}\ndata: {train: a}\n", "job.yaml:1:25: no 'channels:'"},
      {"architecture: {layers: [{chanels: 3}, {}]}\ndata: {train: a}\n", "unknown key 'chanels' in a layer"},
      {"architecture: {layers: [{channels: 8}, {channels: 3}]}\ndata: {train: a}\n", "must have 4 channels"},
  };
  check_refused(refusals, [](const std::string& text) { return read(text); });
}

TEST_CASE("the jobs of the shipped networks are read") {
  const size_t count = for_shipped_jobs(".", [](const JobTree& tree, const std::filesystem::path& path) {
    const auto job = read_train_job(tree);
    REQUIRE(job.ok());
    CHECK(job->name == path.stem().string());
  });
  CHECK(count >= 3);
}
