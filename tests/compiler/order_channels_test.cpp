// Channel ordering: fewer entries for pruned networks, the same function for all.
#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <tuple>

#include "catch.h"
#include "coco/session.h"
#include "compiler/emit.h"
#include "compiler/passes/passes.h"
#include "runtime/networks.h"

using namespace coco;
using coco::testing::Noise;

namespace {

constexpr size_t kChannels = 16;
using Order = std::vector<size_t>;

Order shuffled(unsigned seed) {
  Order order(kChannels);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937 random(seed);
  for (size_t i = kChannels; i-- > 1;) std::swap(order[i], order[random() % (i + 1)]);
  return order;
}

/// 3x3 weights; a block of 4 x 4 channels keeps four taps of nine, the same in all of it, where `pruned`. Output and
/// input channels stand in the given orders.
std::vector<float> weights(size_t out, size_t in, bool pruned, const Order& out_order, const Order& in_order,
                           uint64_t seed) {
  constexpr unsigned kPatterns[] = {0b010111000, 0b000111010, 0b011010010, 0b110010010};
  const std::vector<float> values = Noise(seed).many(out * in * 9, 0.3f);
  std::vector<float> result(values.size());
  for (size_t m = 0; m < out; ++m)
    for (size_t c = 0; c < in; ++c)
      for (size_t tap = 0; tap < 9; ++tap) {
        const size_t from_m = out == kChannels ? out_order[m] : m, from_c = in == kChannels ? in_order[c] : c;
        const bool kept = !pruned || (kPatterns[(from_m / 4 * 3 + from_c / 4) % 4] >> tap & 1) != 0;
        const float value = values[(from_m * in + from_c) * 9 + tap];
        if (kept) result[(m * in + c) * 9 + tap] = value == 0 ? 0.1f : value;
      }
  return result;
}

/// 1 -> 16 -> 16 -> 16 -> 4 with PReLU; the middle pruned.
graph::Graph network(bool pruned, const Order& first, const Order& second, const Order& third) {
  graph::Graph graph;
  format::Conv2dParams same;
  same.kernel = {3, 3}, same.pads = {1, 1, 1, 1};
  const auto conv = [&](graph::Value* x, size_t out, size_t in, bool prune, const Order& to, const Order& from,
                        uint64_t seed) {
    const Shape shape{static_cast<int64_t>(out), static_cast<int64_t>(in), 3, 3}, row{static_cast<int64_t>(out)};
    std::vector<float> bias = Noise(seed + 50).many(out), slope = Noise(seed + 60).many(out), moved_bias(bias),
                       moved_slope(slope);
    for (size_t m = 0; m < out && out == kChannels; ++m) moved_bias[m] = bias[to[m]], moved_slope[m] = slope[to[m]];
    auto node = graph.append(same,
                             {x, graph.add_constant("w", shape, weights(out, in, prune, to, from, seed)),
                              graph.add_constant("b", row, moved_bias), graph.add_constant("s", row, moved_slope)},
                             "conv");
    REQUIRE(node.ok());
    return (*node)->output();
  };
  graph::Value* x = graph.add_input("x", DataType::kF32, {1, 1, 9, 20});
  x = conv(x, 16, 1, false, first, {}, 1);
  x = conv(x, 16, 16, pruned, second, first, 2);
  x = conv(x, 16, 16, pruned, third, second, 3);
  graph.add_output("y", conv(x, 4, 16, false, {}, third, 4));
  return graph;
}

/// (tile of 4 outputs, word of 4 inputs, tap) of the network that have a weight.
size_t entries(const graph::Graph& graph) {
  std::set<std::tuple<const void*, size_t, size_t, size_t>> found;
  for (const graph::Node& node : graph.nodes()) {
    const auto floats = node.input(1)->floats();
    const auto in = static_cast<size_t>(node.input(1)->shape()[1]);
    for (size_t i = 0; i < floats.size(); ++i)
      if (floats[i] != 0) found.emplace(&node, i / (in * 9) / 4, i / 9 % in / 4, i % 9);
  }
  return found.size();
}

std::vector<float> run(graph::Graph graph) {
  auto program = compiler::emit(std::move(graph), {});
  REQUIRE(program.ok());
  auto model = Model::from_program(std::move(*program));
  REQUIRE(model.ok());
  const Shape shape{1, 1, 9, 20};
  SessionOptions options;
  options.reference_kernels = true;
  auto session = Session::create(*model, std::vector<Shape>{shape}, options);
  REQUIRE(session.ok());
  const std::vector<float> input = Noise(9).many(9 * 20);
  std::vector<float> output(4 * 9 * 20);
  const TensorView in{DataType::kF32, shape, input.data()};
  const MutableTensorView out{DataType::kF32, {1, 4, 9, 20}, output.data()};
  REQUIRE((*session)->run({&in, 1}, {&out, 1}).ok());
  return output;
}

}  // namespace

TEST_CASE("ordering finds the blocks that shuffled channels hide") {
  const Order identity = [] {
    Order order(kChannels);
    std::iota(order.begin(), order.end(), size_t{0});
    return order;
  }();
  const size_t blocks = entries(network(true, identity, identity, identity));
  for (unsigned seed = 1; seed <= 5; ++seed) {
    graph::Graph graph = network(true, shuffled(seed), shuffled(seed + 10), shuffled(seed + 20));
    const size_t before = entries(graph);
    const std::vector<float> expected = run(network(true, shuffled(seed), shuffled(seed + 10), shuffled(seed + 20)));
    REQUIRE(compiler::order_channels(graph).ok());
    REQUIRE(graph::verify(graph).ok());
    INFO("seed " << seed << ": " << before << " entries, " << entries(graph) << " ordered, " << blocks << " in blocks");
    CHECK(before > blocks * 4 / 3);
    CHECK(entries(graph) <= blocks + blocks / 20);
    const std::vector<float> result = run(std::move(graph));
    float worst = 0;
    for (size_t i = 0; i < result.size(); ++i) worst = std::max(worst, std::abs(result[i] - expected[i]));
    CHECK(worst < 1e-5f);
  }
}

TEST_CASE("ordering leaves dense networks, outputs and sums alone") {
  const Order a = shuffled(3), b = shuffled(4), c = shuffled(5);
  graph::Graph graph = network(false, a, b, c);
  const std::vector<float> before = run(network(false, a, b, c));
  REQUIRE(compiler::order_channels(graph).ok());
  CHECK(run(std::move(graph)) == before);

  // A tensor that is an output as well keeps its channels, and so does one that something else reads.
  for (const bool output : {true, false}) {
    graph::Graph pruned = network(true, a, b, c);
    graph::Value* hidden = std::next(pruned.nodes().begin())->output();
    if (output) {
      pruned.add_output("hidden", hidden);
    } else {
      auto relu = pruned.append(format::UnaryParams{format::UnaryKind::kRelu}, {hidden}, "relu");
      REQUIRE(relu.ok());
      pruned.add_output("hidden", (*relu)->output());
    }
    const auto floats = std::next(pruned.nodes().begin())->input(1)->floats();
    const std::vector<float> kept(floats.begin(), floats.end());
    REQUIRE(compiler::order_channels(pruned).ok());
    REQUIRE(graph::verify(pruned).ok());
    // Its inputs may move, its outputs may not: every output channel has the weights it had, in some order.
    const auto now = std::next(pruned.nodes().begin())->input(1)->floats();
    for (size_t m = 0; m < kChannels; ++m) {
      std::vector<float> was(kept.begin() + static_cast<ptrdiff_t>(m * 144),
                             kept.begin() + static_cast<ptrdiff_t>((m + 1) * 144));
      std::vector<float> is(now.begin() + static_cast<ptrdiff_t>(m * 144),
                            now.begin() + static_cast<ptrdiff_t>((m + 1) * 144));
      std::sort(was.begin(), was.end()), std::sort(is.begin(), is.end());
      CHECK(was == is);
    }
  }
}
