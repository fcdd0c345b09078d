#include "tune/patch_kernels.h"

#include <cmath>
#include <iostream>

#include "catch.h"
#include "tune/patch_tiles.h"
#include "tune/random.h"

using namespace coco::tune;

namespace {

/// Planes with a border of zeros.
struct Planes {
  Planes(int size, int channels)
      : grid{size, size + 32, int64_t{size + 32} * (size + 2)}, values(static_cast<size_t>(grid.plane * channels)) {}
  float* data() { return values.data() + grid.stride + 16; }
  float& at(int c, int y, int x) { return data()[c * grid.plane + y * grid.stride + x]; }
  PlaneGrid grid;
  AlignedVector<float> values;
};

template <typename F>
void fill(Planes& planes, int channels, F value) {
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < planes.grid.size; ++y) {
      for (int x = 0; x < planes.grid.size; ++x) planes.at(c, y, x) = value();
    }
  }
}

float uniform(Random& random) { return static_cast<float>(random.below(1U << 20)) / (1 << 19) - 1.f; }

struct Case {
  int size, in, out;
};

/// Sums of products, and of their magnitudes, by which errors are judged.
struct Sum {
  double value = 0, magnitude = 0;
  void add(double a, double b) {
    value += a * b;
    magnitude += std::fabs(a * b);
  }
};

struct Convolution {
  Convolution(const Case& c, Random& random, bool whole)
      : sizes(c), input(c.size, c.in), output(c.size, c.out), weight(index(c.out, 0, 0)) {
    const auto value = [&] { return whole ? static_cast<float>(random.below(256)) : uniform(random); };
    fill(input, c.in, value);
    for (float& w : weight) w = whole ? static_cast<float>(random.below(255)) - 127.f : uniform(random);
    for (int o = 0; o < c.out; ++o) bias.push_back(whole ? static_cast<float>(o) - 3.f : uniform(random));
  }
  size_t index(int o, int i, int tap) const {
    return (static_cast<size_t>(o) * static_cast<size_t>(sizes.in) + static_cast<size_t>(i)) * 9 +
           static_cast<size_t>(tap);
  }
  float weight_at(int o, int i, int tap) const { return weight[index(o, i, tap)]; }
  Case sizes;
  Planes input, output;
  std::vector<float> weight, bias;
};

void check_forward(Convolution& c, double tolerance) {
  PackedConv packed;
  pack_conv3x3(c.sizes.size, c.weight.data(), c.sizes.in, c.sizes.out, packed);
  conv3x3(c.input.grid, c.input.data(), packed, c.bias.data(), c.output.data());
  double worst = 0;
  for (int o = 0; o < c.sizes.out; ++o) {
    for (int y = 0; y < c.sizes.size; ++y) {
      for (int x = 0; x < c.sizes.size; ++x) {
        Sum sum;
        sum.add(c.bias[static_cast<size_t>(o)], 1);
        for (int i = 0; i < c.sizes.in; ++i) {
          for (int t = 0; t < 9; ++t) sum.add(c.weight_at(o, i, t), c.input.at(i, y + t / 3 - 1, x + t % 3 - 1));
        }
        worst = std::max(worst, std::fabs(c.output.at(o, y, x) - sum.value) / (sum.magnitude + 1e-9));
      }
    }
  }
  CHECK(worst <= tolerance);
}

// The gradient of the inputs, c.input, from that of the outputs, c.output.
void check_backward(Convolution& c, double tolerance) {
  PackedConv packed;
  pack_conv3x3_backward(c.sizes.size, c.weight.data(), c.sizes.in, c.sizes.out, packed);
  Planes result(c.sizes.size, c.sizes.in);
  conv3x3(c.output.grid, c.output.data(), packed, nullptr, result.data());
  double worst = 0;
  for (int i = 0; i < c.sizes.in; ++i) {
    for (int y = 0; y < c.sizes.size; ++y) {
      for (int x = 0; x < c.sizes.size; ++x) {
        Sum sum;
        for (int o = 0; o < c.sizes.out; ++o) {
          for (int t = 0; t < 9; ++t) sum.add(c.weight_at(o, i, t), c.output.at(o, y + 1 - t / 3, x + 1 - t % 3));
        }
        worst = std::max(worst, std::fabs(result.at(i, y, x) - sum.value) / (sum.magnitude + 1e-9));
      }
    }
  }
  CHECK(worst <= tolerance);
}

void check_weight_gradient(Convolution& c, double tolerance) {
  std::vector<float> weight(c.weight.size(), 1.f), bias(c.bias.size(), 1.f);  // what is there is added to
  conv3x3_weight_gradient(c.input.grid, c.input.data(), c.sizes.in, c.output.data(), c.sizes.out, weight.data(),
                          bias.data());
  double worst = 0;
  for (int o = 0; o < c.sizes.out; ++o) {
    Sum bias_sum;
    bias_sum.add(1, 1);
    for (int y = 0; y < c.sizes.size; ++y) {
      for (int x = 0; x < c.sizes.size; ++x) bias_sum.add(c.output.at(o, y, x), 1);
    }
    CHECK(std::fabs(bias[static_cast<size_t>(o)] - bias_sum.value) <= 1e-5 * bias_sum.magnitude);
    for (int i = 0; i < c.sizes.in; ++i) {
      for (int t = 0; t < 9; ++t) {
        Sum sum;
        sum.add(1, 1);
        for (int y = 0; y < c.sizes.size; ++y) {
          for (int x = 0; x < c.sizes.size; ++x)
            sum.add(c.output.at(o, y, x), c.input.at(i, y + t / 3 - 1, x + t % 3 - 1));
        }
        const double error = std::fabs(weight[c.index(o, i, t)] - sum.value);
        worst = std::max(worst, error / (sum.magnitude + 1e-9));
      }
    }
  }
  CHECK(worst <= tolerance);
}

constexpr Case kCases[] = {{48, 16, 16}, {48, 32, 32}, {32, 8, 8},   {16, 32, 4},  {48, 4, 32},
                           {16, 4, 4},   {48, 12, 8},  {32, 48, 16}, {32, 16, 48}, {48, 20, 16},
                           {48, 1, 16},  {24, 16, 16}, {16, 16, 20}, {80, 8, 4}};

}  // namespace

TEST_CASE("convolutions of patches and their gradients are the sums they stand for") {
  if (!patch_kernels_supported()) {
    std::cout << "skipped: this processor has no kernels for patches\n";
    return;
  }
  if (!tiles_serve(48, 16, 16)) std::cout << "without tiles, which this processor or kernel does not offer\n";
  Random random(3);
  for (const Case& sizes : kCases) {
    CAPTURE(sizes.size, sizes.in, sizes.out);
    Convolution c(sizes, random, false);
    check_forward(c, 1e-5);
    fill(c.output, sizes.out, [&] { return uniform(random); });
    check_weight_gradient(c, 1e-5);
    if (sizes.in % 4 == 0) check_backward(c, 1e-5);
  }
}

TEST_CASE("sums of whole numbers below 2^24 are exact") {
  if (!patch_kernels_supported()) {
    std::cout << "skipped: this processor has no kernels for patches\n";
    return;
  }
  Random random(5);
  for (const Case& sizes : kCases) {
    CAPTURE(sizes.size, sizes.in, sizes.out);
    Convolution c(sizes, random, true);
    check_forward(c, 0);
  }
}

TEST_CASE("a patch leaves nothing behind for one of another size or of fewer channels") {
  if (!patch_kernels_supported()) {
    std::cout << "skipped: this processor has no kernels for patches\n";
    return;
  }
  Random random(7);
  for (const Case& sizes : {Case{48, 32, 32}, Case{16, 16, 16}, Case{32, 32, 4}, Case{16, 32, 32}, Case{48, 4, 4}}) {
    CAPTURE(sizes.size, sizes.in, sizes.out);
    Convolution c(sizes, random, false);
    check_forward(c, 1e-5);
    fill(c.output, sizes.out, [&] { return uniform(random); });
    check_weight_gradient(c, 1e-5);
  }
}
