#include "tune/training_run.h"

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/checkpoint.h"
#include "tune/network.h"
#include "tune/patch_task.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

TrainOptions small_options(const std::string& out) {
  set_threads(1);
  TrainOptions o;
  o.out = out;
  o.iterations = 24;
  o.batch = 2;
  o.patch = 16;
  o.warmup = 2;
  o.validate_every = 10;
  o.checkpoint_every = 7;
  o.optimizer.refresh = 4;
  return o;
}

/// From step 8 on the first half of each convolution's weights stays zero; a penalty draws the other half to its
/// values of that step.
class HalfMask : public Constraint {
 public:
  explicit HalfMask(const Trainable& network) {
    for (const NamedTensor& t : network.deployed()) {
      masks_.push_back({t.name + ".mask", torch::ones_like(t.tensor.detach())});
      targets_.push_back({t.name + ".target", t.tensor.detach().clone()});
    }
  }

  void begin_step(int64_t iteration, const std::vector<NamedTensor>& values) override {
    if (iteration != 8) return;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].tensor.dim() != 4) continue;
      masks_[i].tensor.view(-1).slice(0, 0, values[i].tensor.numel() / 2).zero_();
      targets_[i].tensor.copy_(values[i].tensor);
    }
  }
  void project(std::vector<NamedTensor>& values) const override {
    for (size_t i = 0; i < values.size(); ++i) values[i].tensor.mul_(masks_[i].tensor);
  }
  void adjust(const std::vector<NamedTensor>& values, std::vector<torch::Tensor>& gradients) const override {
    for (size_t i = 0; i < values.size(); ++i) {
      gradients[i].add_(values[i].tensor - targets_[i].tensor, 1e-3).mul_(masks_[i].tensor);
    }
  }
  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> all = masks_;
    all.insert(all.end(), targets_.begin(), targets_.end());
    return all;
  }

 private:
  std::vector<NamedTensor> masks_, targets_;
};

std::vector<NamedTensor> train_masked(const TrainOptions& options, const std::vector<ImagePair>& images,
                                      const TrainHooks& hooks, bool* stopped = nullptr) {
  Random random(3);
  Network network(find_architecture("sr2x-s").value(), Branches::kRich, random);
  HalfMask mask(network);
  PatchTask task(network, nullptr, options, images, images);
  auto values = run_training({network, &mask, task, options, "{}", hooks, random});
  if (stopped != nullptr) {
    *stopped = !values.ok() && values.error().code == ErrorCode::kCancelled;
    return {};
  }
  return std::move(values).value();
}

}  // namespace

TEST_CASE("masked numbers are zero in what training returns, the others are not") {
  const auto images = make_images(2, 64, 3);
  const TemporaryFolder folder;
  const auto values = train_masked(small_options(folder.string()), images, {});
  for (const NamedTensor& t : values) {
    if (t.tensor.dim() != 4) continue;
    const auto flat = t.tensor.view(-1);
    const int64_t half = flat.numel() / 2;
    CHECK(flat.slice(0, 0, half).abs().max().item<double>() == 0);
    CHECK(flat.slice(0, half).abs().min().item<double>() > 0);
  }
}

TEST_CASE("stopped and resumed equals uninterrupted with a constraint, before and after its masks are set") {
  const auto images = make_images(2, 64, 3);
  const TemporaryFolder folder;
  TrainOptions options = small_options((folder / "whole").string());
  std::filesystem::create_directories(options.out);
  const auto whole = train_masked(options, images, {});
  for (const int64_t stop_at : {5, 15}) {
    options.out = (folder / ("parts" + std::to_string(stop_at))).string();
    std::filesystem::create_directories(options.out);
    options.resume = false;
    options.validate_every = stop_at;
    std::atomic<bool> stop{false};
    TrainHooks hooks;
    hooks.log_line = [&stop](const std::string&) { stop = true; };
    hooks.stop = &stop;
    bool stopped = false;
    train_masked(options, images, hooks, &stopped);
    REQUIRE(stopped);
    options.resume = true;
    const auto parts = train_masked(options, images, {});
    for (size_t i = 0; i < whole.size(); ++i) CHECK(torch::equal(whole[i].tensor, parts[i].tensor));
  }
}

namespace {

/// Gives a loss that is not a number from some step on.
class BreaksAt : public GradientSource {
 public:
  explicit BreaksAt(int64_t step) : left_(step) {}
  double run(const std::vector<NamedTensor>& values, PatchBatch&, LossKind,
             std::vector<torch::Tensor>& gradients) override {
    gradients.clear();
    for (const NamedTensor& v : values) gradients.push_back(torch::full_like(v.tensor, 1e-3));
    return left_-- > 0 ? 1.0 : std::nan("");
  }

 private:
  int64_t left_;
};

}  // namespace

TEST_CASE("a loss that is not finite stops the run and keeps the last checkpoint whose loss was") {
  const auto images = make_images(2, 64, 3);
  const TemporaryFolder folder;
  const TrainOptions options = small_options(folder.string());
  const auto break_at = [&](int64_t step) {
    Random random(3);
    Network network(find_architecture("sr2x-s").value(), Branches::kPlain, random);
    BreaksAt gradients(step);
    const std::vector<ImagePair> none;
    PatchTask task(network, &gradients, options, images, none);
    const auto result = run_training({network, nullptr, task, options, "{}", {}, random});
    REQUIRE_FALSE(result.ok());
    return result.error().message;
  };
  const auto kept = [&] { return load_checkpoint((folder / "checkpoint.pt").string())->text("iteration").value(); };
  CHECK(break_at(3).find("there is no checkpoint yet") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "checkpoint.pt"));
  const std::string message = break_at(17);
  CHECK(message.find("not finite after iteration 17") != std::string::npos);
  CHECK(message.find("checkpoint of iteration 14 is kept") != std::string::npos);
  CHECK(kept() == "14");
  CHECK(break_at(14).find("checkpoint of iteration 7 is kept") != std::string::npos);
  CHECK(kept() == "7");
}
