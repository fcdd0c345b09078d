#include "tune/patch_step.h"

#include <iostream>

#include "catch.h"
#include "tests/tune/synthetic.h"

using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

PatchBatch make_batch(int count, int size) {
  const auto images = make_images(3, 96, 21);
  PatchBatch batch;
  Random random(4);
  sample_patches(images, count, size, 2, random, batch);
  return batch;
}

/// Central differences at a few places of one tensor. A step of a bias takes whole areas over PReLU's kink.
void check_tensor(PatchStep& step, PlainNet& net, std::vector<float>& values, const std::vector<float>& gradient,
                  const PatchBatch& batch, LossKind loss, double tolerance) {
  Random random(8);
  for (int k = 0; k < 3 && !values.empty(); ++k) {
    const size_t i = random.below(static_cast<uint32_t>(values.size()));
    const float old = values[i];
    constexpr float kStep = 1e-3f;
    values[i] = old + kStep;
    const double up = step.run(net, batch, loss).loss;
    values[i] = old - kStep;
    const double down = step.run(net, batch, loss).loss;
    values[i] = old;
    CHECK(gradient[i] == Approx((up - down) / (2.0 * kStep)).epsilon(tolerance).margin(2e-3));
  }
}

void check_gradient(LossKind loss, int patch) {
  PlainNet net = make_net(11);
  if (!patch_step_supported(net.architecture, patch)) {
    std::cout << "skipped: this processor has no kernels for patches\n";
    return;
  }
  const PatchBatch batch = make_batch(2, patch);
  PatchStep step(net.architecture, patch);
  const StackGradient gradient = step.run(net, batch, loss);
  for (size_t l = 0; l < net.layers.size(); ++l) {
    PlainLayer& layer = net.layers[l];
    check_tensor(step, net, layer.weight, gradient.layers[l].weight, batch, loss, 0.05);
    check_tensor(step, net, layer.bias, gradient.layers[l].bias, batch, loss, 0.2);
    check_tensor(step, net, layer.slope, gradient.layers[l].slope, batch, loss, 0.05);
  }
  CHECK(step.run(net, batch, loss).layers[1].weight == gradient.layers[1].weight);
}

}  // namespace

TEST_CASE("gradient of the squared error is that of finite differences") { check_gradient(LossKind::kSquared, 32); }
TEST_CASE("gradient of the log error") { check_gradient(LossKind::kLogSquared, 24); }
TEST_CASE("gradient of the absolute error") { check_gradient(LossKind::kAbsolute, 24); }

TEST_CASE("sizes outside the kernels are refused") {
  CHECK_FALSE(patch_step_supported(find_architecture("sr2x-s").value(), 20));
  CHECK_FALSE(patch_step_supported({"odd", 2, {{1, 6, Activation::kPrelu}, {6, 4}}}, 24));
}
