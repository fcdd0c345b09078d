#include "tune/network.h"

#include <ATen/Parallel.h>

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/optimizer.h"

using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("folding the branches is exact, borders included") {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  Random random(6);
  const Network network(find_architecture("sr2x-s").value(), Branches::kRich, random);
  const auto folded = network.fold();
  for (size_t l = 0; l < folded.size(); ++l) {
    const int64_t channels = network.architecture().layers[l].in;
    const torch::Tensor input = torch::rand({2, channels, 9, 7});
    const torch::Tensor plain = torch::conv2d(input, folded[l].weight, folded[l].bias, 1, 1);
    CHECK(largest_difference(plain, network.run_branches(l, input)) < 1e-5);
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

TEST_CASE("a network of zeros is the bilinear base") {
  const torch::NoGradGuard no_grad;
  PlainNet net = make_net(3);
  for (PlainLayer& l : net.layers) {
    std::fill(l.weight.begin(), l.weight.end(), 0.f);
    std::fill(l.bias.begin(), l.bias.end(), 0.f);
  }
  const torch::Tensor input = torch::tensor({0.f, 1.f}).view({1, 1, 1, 2});
  const torch::Tensor out = run_folded(net.architecture, from_plain(net), input);
  const torch::Tensor expected = torch::tensor({0.f, 0.25f, 0.75f, 1.f}).expand({2, 4}).view({1, 1, 2, 4});
  CHECK(largest_difference(out, expected) < 1e-6);
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
