#include "tune/network.h"

#include <ATen/Parallel.h>

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/optimizer.h"

using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().max().item<double>(); }

torch::Tensor find(const std::vector<NamedTensor>& tensors, const std::string& name) {
  for (const NamedTensor& t : tensors) {
    if (t.name == name) return t.tensor;
  }
  FAIL("no tensor " << name);
  return {};
}

}  // namespace

TEST_CASE("folding the branches is exact, borders included") {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  const Architecture mixed{
      "mixed", 2, {{1, 6, Activation::kRelu, 5}, {6, 6, Activation::kNone, 3, true}, {6, 9}, {9, 4}}};
  for (const Architecture& a : {find_architecture("sr2x-s").value(), mixed}) {
    Random random(6);
    const Network network(a, Branches::kRich, random);
    const auto folded = network.deployed();
    for (size_t l = 0; l < a.layers.size(); ++l) {
      const LayerSpec& spec = a.layers[l];
      const torch::Tensor weight = find(folded, "conv" + std::to_string(l) + ".weight");
      const torch::Tensor input = torch::rand({2, spec.in, 9, 7});
      const torch::Tensor plain = torch::conv2d(input, weight, {}, 1, spec.kernel / 2, 1, spec.depthwise ? spec.in : 1);
      CHECK(largest_difference(plain, network.kernel(l).run(input)) < 1e-5);
      CHECK(largest_difference(weight, torch::zeros_like(weight)) > 1e-3);
    }
  }
}

TEST_CASE("a network starts from given numbers, whatever its branches") {
  const torch::NoGradGuard no_grad;
  const std::vector<NamedTensor> numbers = from_plain(make_net(4));
  Random random(6);
  Network network(find_architecture("sr2x-s").value(), Branches::kRich, random);
  network.set(numbers);
  const auto deployed = network.deployed();
  REQUIRE(deployed.size() == numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    CHECK(deployed[i].name == numbers[i].name);
    CHECK(largest_difference(deployed[i].tensor, numbers[i].tensor) < 1e-5);
  }
}

TEST_CASE("plain numbers and tensors are the same network") {
  const PlainNet net = make_net(3);
  const PlainNet back = to_plain(net.architecture, from_plain(net));
  for (size_t l = 0; l < net.layers.size(); ++l) {
    CHECK(back.layers[l].weight == net.layers[l].weight);
    CHECK(back.layers[l].bias == net.layers[l].bias);
    CHECK(back.layers[l].slope == net.layers[l].slope);
  }
}

TEST_CASE("a network of zeros is its base") {
  const torch::NoGradGuard no_grad;
  const auto run = [](Base base) {
    PlainNet net = make_net(3);
    net.architecture.base = base;
    for (PlainLayer& l : net.layers) {
      std::fill(l.weight.begin(), l.weight.end(), 0.f);
      std::fill(l.bias.begin(), l.bias.end(), 0.f);
    }
    const torch::Tensor input = torch::tensor({0.f, 1.f}).view({1, 1, 1, 2});
    return run_architecture(net.architecture, from_plain(net), input);
  };
  const auto row = [](std::initializer_list<float> values) {
    return torch::tensor(std::vector<float>(values)).expand({2, 4}).view({1, 1, 2, 4});
  };
  CHECK(largest_difference(run(Base::kBilinear), row({0.f, 0.25f, 0.75f, 1.f})) < 1e-6);
  CHECK(largest_difference(run(Base::kNearest), row({0.f, 0.f, 1.f, 1.f})) < 1e-6);
  // Keys at 1/4: -0.0703125, 0.8671875, 0.2265625, -0.0234375.
  CHECK(largest_difference(run(Base::kBicubic), row({-0.0703125f, 0.203125f, 0.796875f, 1.0703125f})) < 1e-6);
  CHECK(largest_difference(run(Base::kNone), row({0.f, 0.f, 0.f, 0.f})) < 1e-6);
}

TEST_CASE("both optimizers find the minimum of a badly scaled bowl from noisy gradients") {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kSoap}) {
    Random random(12);
    torch::Tensor x = torch::ones({3, 4}).set_requires_grad(true);
    const torch::Tensor scale = torch::linspace(0.5, 3.0, 12).view({3, 4});
    OptimizerOptions options;
    options.kind = kind;
    Optimizer optimizer({{"x", x}}, options);
    for (int i = 0; i < 500; ++i) {
      const torch::Tensor target = torch::empty({3, 4});
      for (int k = 0; k < 12; ++k) target.data_ptr<float>()[k] = static_cast<float>(0.5 * random.normal());
      (scale * (x - target).square()).sum().backward();
      optimizer.step(0.02 * (1.0 - i / 500.0));
    }
    CHECK(x.abs().max().item<double>() < 0.3);
  }
}
