#include "tune/trainer.h"

#include <fstream>
#include <sstream>

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/evaluate.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

TrainOptions small_options(const std::string& out) {
  set_threads(1);
  TrainOptions o;
  o.out = out;
  o.iterations = 40;
  o.batch = 4;
  o.patch = 24;
  o.warmup = 5;
  o.seed = 5;
  o.validate_every = 15;
  o.checkpoint_every = 10;
  return o;
}

bool same(const PlainNet& a, const PlainNet& b) {
  bool equal = a.layers.size() == b.layers.size();
  for (size_t l = 0; equal && l < a.layers.size(); ++l) {
    equal = a.layers[l].weight == b.layers[l].weight && a.layers[l].bias == b.layers[l].bias &&
            a.layers[l].slope == b.layers[l].slope;
  }
  return equal;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Trains, asking it to stop at the given validation, and then goes on with --resume.
PlainNet train_in_two(TrainOptions options, const std::vector<ImagePair>& images) {
  std::atomic<bool> stop{false};
  TrainHooks hooks;
  hooks.log_line = [&stop](const std::string&) { stop = true; };
  hooks.stop = &stop;
  const auto first = train(options, images, images, hooks);
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().code == ErrorCode::kCancelled);
  options.resume = true;
  return train(options, images, images, {}).value();
}

void check_resume(Branches branches, OptimizerKind kind, bool portable) {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  TrainOptions options = small_options((folder / "whole").string());
  options.branches = branches;
  options.optimizer.kind = kind;
  options.portable = portable;
  const PlainNet whole = train(options, images, images, {}).value();
  options.out = (folder / "parts").string();
  const PlainNet parts = train_in_two(options, images);
  CHECK(same(whole, parts));
  CHECK(same(whole, load_trained((folder / "parts" / "checkpoint.pt").string()).value()));
}

}  // namespace

TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: SOAP on plain kernels") {
  check_resume(Branches::kPlain, OptimizerKind::kSoap, false);
}
TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: Adam on rich branches, libtorch only") {
  check_resume(Branches::kRich, OptimizerKind::kAdam, true);
}

TEST_CASE("own gradients and libtorch's lead to the same weights") {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  for (const LossKind loss : {LossKind::kAbsolute, LossKind::kSquared, LossKind::kLogSquared}) {
    TrainOptions options = small_options(folder.string());
    options.iterations = 6;
    options.warmup = 0;
    options.loss = options.last_loss = loss;
    options.learning_rate = 1e-4;
    options.optimizer.kind = OptimizerKind::kAdam;
    options.optimizer.epsilon = 1e-4;
    const PlainNet own = train(options, images, {}, {}).value();
    options.portable = true;
    const PlainNet torch = train(options, images, {}, {}).value();
    for (size_t l = 0; l < own.layers.size(); ++l) {
      for (size_t i = 0; i < own.layers[l].weight.size(); ++i) {
        REQUIRE(own.layers[l].weight[i] == Approx(torch.layers[l].weight[i]).margin(2e-5));
      }
    }
  }
}

TEST_CASE("thirty steps lower the loss, and the log tells it") {
  const auto images = make_images(4, 64, 77);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  options.iterations = 30;
  options.last_share = 0;
  const auto untrained = [&] {
    TrainOptions o = options;
    o.iterations = 1;
    o.learning_rate = 1e-12;
    return train(o, images, {}, {}).value();
  }();
  const PlainNet net = train(options, images, images, {}).value();
  const double before = evaluate(untrained, images)->psnr_y, after = evaluate(net, images)->psnr_y;
  CHECK(after > before + 0.3);
  const std::string log = read(folder / "log.jsonl");
  CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  CHECK(log.find("\"iteration\":30") != std::string::npos);
  CHECK(log.find("\"psnr_y\":") != std::string::npos);
}

TEST_CASE("the schedule rises, falls and ends at zero") {
  TrainOptions o;
  o.iterations = 1000;
  o.warmup = 100;
  CHECK(learning_rate_at(o, 0) < 0.02 * o.learning_rate);
  CHECK(learning_rate_at(o, 100) > 0.97 * o.learning_rate);
  CHECK(learning_rate_at(o, 550) == Approx(0.5 * o.learning_rate).epsilon(0.2));
  CHECK(learning_rate_at(o, 1000) == Approx(0.0).margin(1e-9));
}

TEST_CASE("bad requests are one clear error each") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  SECTION("no checkpoint to resume from") {
    options.resume = true;
    const auto r = train(options, images, {}, {});
    CHECK(r.error().code == ErrorCode::kNotFound);
    CHECK(r.error().message.find("checkpoint.pt") != std::string::npos);
  }
  SECTION("a checkpoint of other options") {
    options.iterations = 2;
    REQUIRE(train(options, images, {}, {}).ok());
    options.resume = true;
    options.seed = 6;
    CHECK(train(options, images, {}, {}).error().message.find("other options") != std::string::npos);
  }
  SECTION("a damaged checkpoint") {
    options.iterations = 2;
    REQUIRE(train(options, images, {}, {}).ok());
    const auto path = folder / "checkpoint.pt";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const auto r = load_trained(path.string());
    CHECK(r.error().code == ErrorCode::kInvalidData);
    CHECK(r.error().message.find('\n') == std::string::npos);
  }
  SECTION("no images, a patch too large, an unknown network, nonsense numbers") {
    CHECK_FALSE(train(options, {}, {}, {}).ok());
    options.patch = 40;
    CHECK(train(options, images, {}, {}).error().message.find("image0") != std::string::npos);
    options.architecture = "sr9x";
    CHECK(train(options, images, {}, {}).error().code == ErrorCode::kNotFound);
    options.iterations = 0;
    CHECK(train(options, images, {}, {}).error().code == ErrorCode::kInvalidArgument);
  }
  SECTION("an output folder that cannot be made") {
    std::ofstream(folder / "file") << "x";
    options.out = (folder / "file").string();
    CHECK(train(options, images, {}, {}).error().code == ErrorCode::kIo);
  }
}
