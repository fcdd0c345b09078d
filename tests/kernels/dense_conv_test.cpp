#include <string>

#include "kernels/dense_support.h"

using namespace coco;
using namespace coco::kernels::testing;
using coco::format::Conv2dParams;
using coco::format::ConvTranspose2dParams;
using coco::format::UnaryKind;

namespace {

struct Case {
  int64_t n, c, h, w, m;
  std::array<int64_t, 2> kernel, stride, dilation;
  std::array<int64_t, 4> pads;
  int64_t group;
};

// Awkward on purpose: one pixel, kernels wider than the input, unequal pads, groups, depthwise, several images.
const std::vector<Case> kCases = {
    {1, 1, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1},
    {1, 3, 5, 7, 4, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
    {2, 4, 6, 5, 6, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 2},
    {1, 4, 9, 11, 4, {3, 3}, {1, 1}, {2, 3}, {2, 3, 2, 3}, 4},
    {3, 2, 4, 1, 2, {5, 3}, {1, 1}, {1, 1}, {2, 1, 2, 1}, 1},
    {1, 2, 3, 3, 3, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}, 1},
    {1, 1, 17, 33, 2, {2, 4}, {3, 2}, {1, 1}, {0, 3, 1, 0}, 1},
    {1, 3, 2, 16, 6, {1, 7}, {1, 3}, {1, 2}, {0, 9, 0, 9}, 3},
    {1, 8, 15, 15, 8, {3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1},
};

// Patches as columns of a matrix, one dot product per result, in double.
std::vector<double> conv_by_patches(const Case& k, const Tensor& x, const Tensor& w, const Tensor* bias, int64_t oh,
                                    int64_t ow) {
  const int64_t cg = k.c / k.group, mg = k.m / k.group;
  std::vector<double> result;
  for (int64_t n = 0; n < k.n; ++n) {
    for (int64_t m = 0; m < k.m; ++m) {
      for (int64_t y = 0; y < oh; ++y) {
        for (int64_t xo = 0; xo < ow; ++xo) {
          std::vector<double> patch;
          for (int64_t c = 0; c < cg; ++c) {
            for (int64_t i = 0; i < k.kernel[0] * k.kernel[1]; ++i) {
              const int64_t iy = y * k.stride[0] - k.pads[0] + i / k.kernel[1] * k.dilation[0];
              const int64_t ix = xo * k.stride[1] - k.pads[1] + i % k.kernel[1] * k.dilation[1];
              const bool inside = iy >= 0 && iy < k.h && ix >= 0 && ix < k.w;
              patch.push_back(inside ? x.at({n, m / mg * cg + c, iy, ix}) : 0.0);
            }
          }
          double sum = bias != nullptr ? bias->data[m] : 0.0;
          for (size_t i = 0; i < patch.size(); ++i) sum += patch[i] * w.data[m * patch.size() + i];
          result.push_back(sum);
        }
      }
    }
  }
  return result;
}

Conv2dParams conv_params(const Case& k) {
  Conv2dParams p;
  p.kernel = k.kernel, p.stride = k.stride, p.dilation = k.dilation, p.pads = k.pads, p.group = k.group;
  return p;
}

int64_t conv_length(int64_t in, int64_t before, int64_t after, int64_t kernel, int64_t stride, int64_t dilation) {
  return (in + before + after - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace

TEST_CASE("conv2d equals patches times weights") {
  for (size_t i = 0; i < kCases.size(); ++i) {
    const Case& k = kCases[i];
    INFO("case " << i);
    const Tensor x = random({k.n, k.c, k.h, k.w}, 1), w = random({k.m, k.c / k.group, k.kernel[0], k.kernel[1]}, 2);
    const Tensor bias = random({k.m}, 3);
    const int64_t oh = conv_length(k.h, k.pads[0], k.pads[2], k.kernel[0], k.stride[0], k.dilation[0]);
    const int64_t ow = conv_length(k.w, k.pads[1], k.pads[3], k.kernel[1], k.stride[1], k.dilation[1]);
    require_close(run(conv_params(k), {&x, &w, &bias}, {k.n, k.m, oh, ow}), conv_by_patches(k, x, w, &bias, oh, ow),
                  2e-5);
    require_close(run(conv_params(k), {&x, &w, nullptr, nullptr}, {k.n, k.m, oh, ow}),
                  conv_by_patches(k, x, w, nullptr, oh, ow), 2e-5);
  }
}

TEST_CASE("conv2d by hand") {
  Conv2dParams p;
  p.kernel = {3, 3};
  p.pads = {1, 1, 1, 1};
  const Tensor x = iota({1, 1, 3, 3}), w = filled({1, 1, 3, 3}, [](size_t) { return 1.0f; });
  REQUIRE(run(p, {&x, &w}, {1, 1, 3, 3}).data == std::vector<float>{12, 21, 16, 27, 45, 33, 24, 39, 28});
}

TEST_CASE("conv2d applies its activation last, or its slope") {
  const Tensor x = iota({1, 1, 1, 5}, -2), w{{2, 1, 1, 1}, {1, -1}}, bias{{2}, {0, 0.5f}}, slope{{2}, {0.5f, 2}};
  Conv2dParams p;
  const Shape shape{1, 2, 1, 5};
  const std::vector<float> sums{-2, -1, 0, 1, 2, 2.5f, 1.5f, 0.5f, -0.5f, -1.5f};
  REQUIRE(run(p, {&x, &w, &bias}, shape).data == sums);
  for (const auto kind :
       {UnaryKind::kRelu, UnaryKind::kLeakyRelu, UnaryKind::kClip, UnaryKind::kSigmoid, UnaryKind::kTanh}) {
    p.activation = kind, p.act_a = -0.25f, p.act_b = 0.75f;
    const Tensor result = run(p, {&x, &w, &bias, nullptr}, shape);
    for (size_t i = 0; i < sums.size(); ++i) {
      REQUIRE(result.data[i] == kernels::apply_unary(kind, p.act_a, p.act_b, sums[i]));
    }
  }
  p.activation = UnaryKind::kIdentity;
  REQUIRE(run(p, {&x, &w, &bias, &slope}, shape).data ==
          std::vector<float>{-1, -0.5f, 0, 1, 2, 2.5f, 1.5f, 0.5f, -1, -3});
}

TEST_CASE("conv_transpose2d equals a scatter in double") {
  for (size_t i = 0; i < kCases.size(); ++i) {
    const Case& k = kCases[i];
    for (const int64_t extra : {int64_t{0}, int64_t{1}}) {
      INFO("case " << i << " output padding " << extra);
      ConvTranspose2dParams p;
      p.kernel = k.kernel, p.stride = k.stride, p.dilation = k.dilation, p.group = k.group;
      // Crops that leave something of every case.
      p.pads = {std::min<int64_t>(k.pads[0], 1), 0, 0, std::min<int64_t>(k.pads[3], 1)};
      p.output_padding = {extra, 0};
      const int64_t mg = k.m / k.group, cg = k.c / k.group;
      const Tensor x = random({k.n, k.c, k.h, k.w}, 4), w = random({k.c, mg, k.kernel[0], k.kernel[1]}, 5);
      const Tensor bias = random({k.m}, 6);
      const auto length = [&](int axis, int64_t in) {
        return (in - 1) * k.stride[axis] + (k.kernel[axis] - 1) * k.dilation[axis] + 1 - p.pads[axis] -
               p.pads[axis + 2] + p.output_padding[axis];
      };
      const int64_t oh = length(0, k.h), ow = length(1, k.w);
      if (oh <= 0 || ow <= 0) continue;
      std::vector<double> wanted(static_cast<size_t>(k.n * k.m * oh * ow));
      for (size_t j = 0; j < wanted.size(); ++j) wanted[j] = bias.data[j / (oh * ow) % k.m];
      for (int64_t n = 0; n < k.n; ++n) {
        for (int64_t c = 0; c < k.c; ++c) {
          for (int64_t at = 0; at < k.h * k.w; ++at) {
            for (int64_t t = 0; t < mg * k.kernel[0] * k.kernel[1]; ++t) {
              const int64_t kx = t % k.kernel[1], ky = t / k.kernel[1] % k.kernel[0];
              const int64_t m = c / cg * mg + t / k.kernel[1] / k.kernel[0];
              const int64_t oy = at / k.w * k.stride[0] + ky * k.dilation[0] - p.pads[0];
              const int64_t ox = at % k.w * k.stride[1] + kx * k.dilation[1] - p.pads[1];
              if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
              wanted[((n * k.m + m) * oh + oy) * ow + ox] +=
                  static_cast<double>(x.data[(n * k.c + c) * k.h * k.w + at]) *
                  w.data[c * mg * k.kernel[0] * k.kernel[1] + t];
            }
          }
        }
      }
      require_close(run(p, {&x, &w, &bias}, {k.n, k.m, oh, ow}), wanted, 2e-5);
    }
  }
}

TEST_CASE("conv_transpose2d is the adjoint of conv2d") {
  const Case k{1, 3, 9, 8, 4, {3, 2}, {2, 3}, {1, 2}, {1, 1, 0, 1}, 1};
  const int64_t oh = conv_length(k.h, 1, 0, 3, 2, 1), ow = conv_length(k.w, 1, 1, 2, 3, 2);
  const Tensor x = random({1, 3, k.h, k.w}, 7), y = random({1, 4, oh, ow}, 8), w = random({4, 3, 3, 2}, 9);
  ConvTranspose2dParams t;
  t.kernel = k.kernel, t.stride = k.stride, t.dilation = k.dilation, t.pads = k.pads;
  t.output_padding = {k.h - ((oh - 1) * 2 + 3 - 1), k.w - ((ow - 1) * 3 + 3 - 2)};
  const Tensor forward = run(conv_params(k), {&x, &w}, y.shape), backward = run(t, {&y, &w}, x.shape);
  double left = 0, right = 0;
  for (size_t i = 0; i < y.data.size(); ++i) left += static_cast<double>(forward.data[i]) * y.data[i];
  for (size_t i = 0; i < x.data.size(); ++i) right += static_cast<double>(backward.data[i]) * x.data[i];
  REQUIRE(left == Approx(right).epsilon(1e-5));
}
