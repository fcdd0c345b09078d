#include "tune/prune/plan.h"

#include "catch.h"
#include "tune/random.h"

using namespace coco;
using namespace coco::tune;

namespace {

std::vector<ConvLayer> stack() {
  return {{"head", {8, 1, 3, 3, true}, 1},
          {"a", {8, 8, 3, 3}, 1},
          {"b", {8, 8, 1, 1}, 1},
          {"deep", {8, 1, 3, 3}, 8},
          {"tail", {4, 8, 3, 3}, 1}};
}

PruneSpec punched(double keep) { return {PruneKind::kPunched, 8, keep, false, false, 1}; }

}  // namespace

TEST_CASE("first, last and grouped layers stay dense unless named") {
  const PrunePlan plan = plan_pruning(stack(), {punched(0.5), {}, 8}).value();
  REQUIRE(plan.layers.size() == 2);
  CHECK(plan.layers[0].weight == "a.weight");
  CHECK(plan.layers[1].weight == "b.weight");
  const PrunePlan named = plan_pruning(stack(), {{}, {{"tail", punched(0.7)}}, 8}).value();
  REQUIRE(named.layers.size() == 1);
  CHECK(named.layers[0].spec.keep == 0.7);
  const PrunePlan dense = plan_pruning(stack(), {punched(0.5), {{"a", {}}}, 8}).value();
  REQUIRE(dense.layers.size() == 1);
  CHECK(dense.layers[0].weight == "b.weight");
}

TEST_CASE("what cannot be pruned so is refused by name") {
  const auto message = [](const PruneRequest& request) {
    const auto plan = plan_pruning(stack(), request);
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == ErrorCode::kInvalidArgument);
    return plan.error().message;
  };
  CHECK(message({{}, {}, 8}).find("nothing is to be pruned") != std::string::npos);
  CHECK(message({punched(0.5), {{"c", punched(0.5)}}, 8}).find("head, a, b, deep, tail") != std::string::npos);
  CHECK(message({{}, {{"deep", punched(0.5)}}, 8}).find("'deep'") != std::string::npos);
  CHECK(message({{PruneKind::kPattern, 8, 4. / 9, false, false, 1}, {}, 8}).find("'b'") != std::string::npos);
  CHECK(message({punched(0.5), {}, 9}).find("patterns") != std::string::npos);
}

TEST_CASE("layers and their entries are read from a graph") {
  graph::Graph g;
  Random random(1);
  const auto constant = [&](const char* name, Shape shape) {
    size_t count = 1;
    for (size_t i = 0; i < shape.rank(); ++i) count *= static_cast<size_t>(shape[i]);
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(random.normal()) + 3.f;
    if (count == 8 * 8 * 9) std::fill(values.begin(), values.begin() + 8 * 4 * 9, 0.f);  // outputs 0 to 3
    return g.add_constant(name, shape, values);
  };
  format::Conv2dParams p;
  p.kernel = {3, 3};
  p.pads = {1, 1, 1, 1};
  auto* input = g.add_input("luma", DataType::kF32, {1, 1, 8, 8});
  auto* first = g.append(p, {input, constant("w0", {8, 1, 3, 3})}, "conv0").value();
  auto* second = g.append(p, {first->output(), constant("w1", {8, 8, 3, 3})}, "conv1").value();
  g.add_output("out", second->output());
  const auto convs = conv_layers(g);
  REQUIRE(convs.size() == 2);
  CHECK(convs[0].name == "conv0");
  CHECK(convs[0].shape.gathered);
  CHECK_FALSE(convs[1].shape.gathered);
  const auto layers = measure_sparsity(g);
  CHECK(layers[0].sparsity == 0);
  CHECK(layers[0].eight.dense == 3);
  CHECK(layers[1].sparsity == 0.5);
  CHECK(layers[1].eight.kept == 18);
  CHECK(layers[1].four.kept == 18);
  CHECK(layers[1].four.dense == 36);
}
