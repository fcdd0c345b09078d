#include "tune/trainer.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "compiler/onnx/import.h"
#include "tests/tune/synthetic.h"
#include "tune/evaluate.h"
#include "tune/onnx_export.h"

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

NetworkSource source_of(Architecture architecture, Branches branches = Branches::kPlain) {
  NetworkSource source;
  source.architecture = std::move(architecture);
  source.branches = branches;
  return source;
}

NetworkSource source_of(const char* preset = "sr2x-s", Branches branches = Branches::kPlain) {
  return source_of(find_architecture(preset).value(), branches);
}

/// All trained numbers of an exported model.
std::vector<float> numbers_in(const std::string& onnx) {
  const auto graph = compiler::import_onnx({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}).value();
  std::vector<float> all;
  for (const graph::Value& value : graph.values()) {
    if (value.is_constant()) all.insert(all.end(), value.floats().begin(), value.floats().end());
  }
  return all;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Trains, asking it to stop at the given validation, and then goes on with --resume.
std::string train_in_two(TrainOptions options, const NetworkSource& source, const std::vector<ImagePair>& images) {
  std::atomic<bool> stop{false};
  TrainHooks hooks;
  hooks.log_line = [&stop](const std::string&) { stop = true; };
  hooks.stop = &stop;
  const auto first = train(options, source, images, images, hooks);
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().code == ErrorCode::kCancelled);
  options.resume = true;
  return train(options, source, images, images, {}).value();
}

void check_resume(const NetworkSource& source, OptimizerKind kind, bool portable) {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  TrainOptions options = small_options((folder / "whole").string());
  options.optimizer.kind = kind;
  options.portable = portable;
  const std::string whole = train(options, source, images, images, {}).value();
  options.out = (folder / "parts").string();
  CHECK(train_in_two(options, source, images) == whole);
  CHECK(load_trained((folder / "parts" / "checkpoint.pt").string()).value() == whole);
}

}  // namespace

TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: SOAP on plain kernels") {
  check_resume(source_of(), OptimizerKind::kSoap, false);
}
TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: Adam on rich branches, libtorch only") {
  check_resume(source_of("sr2x-s", Branches::kRich), OptimizerKind::kAdam, true);
}
TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: a described network") {
  Architecture small{"small", 2, {{4, 8, Activation::kClip}, {8, 8, Activation::kNone, 3, true}, {8, 16}}};
  small.unshuffle = 2;
  small.base = Base::kBicubic;
  check_resume(source_of(small, Branches::kRich), OptimizerKind::kSoap, false);
}

TEST_CASE("stopped and resumed equals uninterrupted, bit for bit: an ONNX model") {
  const NetworkSource tiny = source_of(Architecture{"tiny", 2, {{1, 8, Activation::kTanh, 5}, {8, 4}}});
  const auto images = make_images(2, 64, 31);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  options.iterations = 2;
  NetworkSource whole;
  whole.architecture.name = "imported";
  whole.init = NetworkSource::Init::kWhole;
  whole.model = train(options, tiny, images, {}, {}).value();
  CHECK(pairs_for(whole)->scale == 2);
  check_resume(whole, OptimizerKind::kSoap, false);
}

TEST_CASE("an architecture starts from an export of itself") {
  const auto images = make_images(2, 64, 31);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  options.iterations = 12;
  const std::string first = train(options, source_of(), images, {}, {}).value();
  NetworkSource source = source_of("sr2x-s", Branches::kRich);
  source.init = NetworkSource::Init::kStart;
  source.model = first;
  options.iterations = 1;
  options.learning_rate = 1e-12;
  options.average_decay = 0;
  const std::vector<float> before = numbers_in(first);
  const std::vector<float> after = numbers_in(train(options, source, images, {}, {}).value());
  REQUIRE(before.size() == after.size());
  for (size_t i = 0; i < before.size(); ++i) REQUIRE(after[i] == Approx(before[i]).margin(1e-5));
  source.architecture = find_architecture("sr2x-m").value();
  CHECK(train(options, source, images, {}, {}).error().message.find("'conv0.weight' of 144") != std::string::npos);
  source.init = NetworkSource::Init::kWhole;
  source.model = "no model";
  CHECK_FALSE(train(options, source, images, {}, {}).ok());
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
    const std::vector<float> own = numbers_in(train(options, source_of(), images, {}, {}).value());
    options.portable = true;
    const std::vector<float> torch = numbers_in(train(options, source_of(), images, {}, {}).value());
    REQUIRE(own.size() == torch.size());
    REQUIRE(own.size() > 2700);
    for (size_t i = 0; i < own.size(); ++i) REQUIRE(own[i] == Approx(torch[i]).margin(2e-5));
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
    return train(o, source_of(), images, {}, {}).value();
  }();
  const std::string net = train(options, source_of(), images, images, {}).value();
  const auto psnr = [&](const std::string& onnx) {
    return evaluate(compile_model(onnx).value(), images).value().psnr_y;
  };
  CHECK(psnr(net) > psnr(untrained) + 0.3);
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
  NetworkSource source = source_of();
  SECTION("no checkpoint to resume from") {
    options.resume = true;
    const auto r = train(options, source, images, {}, {});
    CHECK(r.error().code == ErrorCode::kNotFound);
    CHECK(r.error().message.find("checkpoint.pt") != std::string::npos);
  }
  SECTION("a checkpoint of other options") {
    options.iterations = 2;
    REQUIRE(train(options, source, images, {}, {}).ok());
    options.resume = true;
    options.seed = 6;
    CHECK(train(options, source, images, {}, {}).error().message.find("other options") != std::string::npos);
  }
  SECTION("a damaged checkpoint") {
    options.iterations = 2;
    REQUIRE(train(options, source, images, {}, {}).ok());
    const auto path = folder / "checkpoint.pt";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const auto r = load_trained(path.string());
    CHECK(r.error().code == ErrorCode::kInvalidData);
    CHECK(r.error().message.find('\n') == std::string::npos);
  }
  SECTION("a checkpoint of another network") {
    options.iterations = 2;
    REQUIRE(train(options, source, images, {}, {}).ok());
    options.resume = true;
    source.architecture.base = Base::kBicubic;
    CHECK(train(options, source, images, {}, {}).error().message.find("other options") != std::string::npos);
  }
  SECTION("no images, a patch too large, a network that does not fit, nonsense numbers") {
    CHECK_FALSE(train(options, source, {}, {}, {}).ok());
    options.patch = 40;
    CHECK(train(options, source, images, {}, {}).error().message.find("image0") != std::string::npos);
    options.patch = 24;
    source.architecture.layers[1].in = 9;
    CHECK(train(options, source, images, {}, {}).error().message.find("layer 2 takes 9") != std::string::npos);
    options.iterations = 0;
    CHECK(train(options, source, images, {}, {}).error().code == ErrorCode::kInvalidArgument);
  }
  SECTION("an output folder that cannot be made") {
    std::ofstream(folder / "file") << "x";
    options.out = (folder / "file").string();
    CHECK(train(options, source, images, {}, {}).error().code == ErrorCode::kIo);
  }
}

TEST_CASE("a rate that makes the loss explode stops the run and keeps the last good checkpoint") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  options.iterations = 400;
  options.checkpoint_every = 1;
  options.warmup = 400;
  options.learning_rate = 1e12;
  options.loss = options.last_loss = LossKind::kSquared;
  const auto result = train(options, source_of(), images, {}, {});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidData);
  CHECK(result.error().message.find("training diverged") != std::string::npos);
  CHECK(result.error().message.find("is kept") != std::string::npos);
  const auto kept = load_trained((folder / "checkpoint.pt").string());
  REQUIRE(kept.ok());
  for (const float number : numbers_in(*kept)) REQUIRE(std::fabs(number) < 10);
}

TEST_CASE("a network that cannot be is refused before anything is written") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  NetworkSource source = source_of();
  source.architecture.scale = 9;
  CHECK(train(small_options((folder / "out").string()), source, images, {}, {}).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  CHECK_FALSE(check_runs("no model").ok());
}

TEST_CASE("a disk that is full while a checkpoint is written leaves the one before") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  TrainOptions options = small_options(folder.string());
  options.iterations = 10;
  REQUIRE(train(options, source_of(), images, {}, {}).ok());
  const auto path = folder / "checkpoint.pt";
  const std::string before = read(path);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit little{before.size() / 2, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  const auto result = train(options, source_of(), images, {}, {});
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kIo);
  CHECK(result.error().message.find("checkpoint.pt") != std::string::npos);
  CHECK(read(path) == before);
  CHECK(load_trained(path.string()).ok());
}
