#include "tune/prune/prune.h"

#include "catch.h"
#include "compiler/onnx/import.h"
#include "tests/tune/synthetic.h"
#include "tune/lower.h"
#include "tune/onnx_export.h"
#include "tune/recognize_stack.h"

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
  o.validate_every = 8;
  o.checkpoint_every = 8;
  return o;
}

PruneOptions pattern_options(PruneMethod method) {
  PruneOptions o;
  o.request.all = {PruneKind::kPattern, 8, 4. / 9, false, false, 1};
  o.method = method;
  o.admm.iterations = 12;
  o.admm.interval = 4;
  o.gradual = {0, 12, 4};
  return o;
}

std::string dense_onnx() { return to_onnx(lower(make_net(3)).value(), "dense").value(); }

}  // namespace

TEST_CASE("a trained network is pruned, head and tail stay dense, and a stopped run ends in the same bytes") {
  const auto images = make_images(3, 64, 31);
  const std::string dense = dense_onnx();
  for (const PruneMethod method : {PruneMethod::kAdmm, PruneMethod::kGradual}) {
    const TemporaryFolder folder;
    TrainOptions options = small_options((folder / "whole").string());
    const auto whole = prune(options, pattern_options(method), dense, images, images, {}).value();
    REQUIRE(whole.layers.size() == 6);
    for (size_t l = 0; l < 6; ++l) {
      const bool inner = l > 0 && l < 5;
      CHECK(whole.layers[l].eight.kept * 9 == whole.layers[l].eight.dense * (inner ? 4 : 9));
    }
    CHECK(whole.onnx != whole.at_once);
    options.out = (folder / "parts").string();
    std::atomic<bool> stop{false};
    TrainHooks hooks;
    hooks.log_line = [&stop](const std::string&) { stop = true; };
    hooks.stop = &stop;
    CHECK(prune(options, pattern_options(method), dense, images, images, hooks).error().code == ErrorCode::kCancelled);
    options.resume = true;
    CHECK(prune(options, pattern_options(method), dense, images, images, {}).value().onnx == whole.onnx);
    options.seed = 9;
    CHECK_FALSE(prune(options, pattern_options(method), dense, images, images, {}).ok());
  }
}

TEST_CASE("what the tool has exported is recognized, for the faster gradients") {
  const std::string onnx = dense_onnx();
  graph::Graph graph = compiler::import_onnx({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}).value();
  const auto net = recognize_stack(graph);
  REQUIRE(net.has_value());
  CHECK(net->architecture.layers == make_net(3).architecture.layers);
}

TEST_CASE("what cannot be pruned is refused before the first step") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  const TrainOptions options = small_options(folder.string());
  PruneOptions pruning = pattern_options(PruneMethod::kAdmm);
  pruning.admm.iterations = 24;
  CHECK(prune(options, pruning, dense_onnx(), images, {}, {}).error().message.find("retraining") != std::string::npos);
  pruning = pattern_options(PruneMethod::kAdmm);
  pruning.request.layers["conv9"] = {};
  CHECK(prune(options, pruning, dense_onnx(), images, {}, {}).error().message.find("conv9") != std::string::npos);
  CHECK_FALSE(prune(options, pattern_options(PruneMethod::kAdmm), "not a model", images, {}, {}).ok());
}
