#include <string>

#include "kernels/dense/resize_taps.h"
#include "kernels/dense_support.h"

using namespace coco;
using namespace coco::kernels::testing;
using coco::format::CoordinateMode;
using coco::format::NearestMode;
using coco::format::ResizeMode;
using coco::format::ResizeParams;

namespace {

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

double coordinate(CoordinateMode mode, double x, double in, double out, double scale) {
  const double length = in * scale;  // not rounded down, as ONNX's own evaluation has it
  if (mode == CoordinateMode::kAsymmetric) return x / scale;
  if (mode == CoordinateMode::kAlignCorners) return std::abs(length - 1) < 1e-9 ? 0 : x * (in - 1) / (length - 1);
  if (mode == CoordinateMode::kPytorchHalfPixel && out <= 1) return 0;
  return (x + 0.5) / scale - 0.5;
}

double keys(double a, double d) {
  d = std::abs(d);
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

// One axis as a matrix [out][in], straight from the operator's text.
std::vector<std::vector<double>> axis_matrix(const ResizeParams& p, int in, int out, double scale) {
  std::vector<std::vector<double>> matrix(out, std::vector<double>(in));
  for (int o = 0; o < out; ++o) {
    const double x = coordinate(p.coordinates, o, in, out, scale);
    std::vector<double>& row = matrix[o];
    const auto edge = [&](double i) { return static_cast<size_t>(std::min(std::max(i, 0.0), in - 1.0)); };
    if (p.mode == ResizeMode::kNearest) {
      double i = 0;
      if (p.nearest == NearestMode::kFloor) i = std::floor(x);
      if (p.nearest == NearestMode::kCeil) i = std::ceil(x);
      if (p.nearest == NearestMode::kRoundPreferFloor) i = x - std::floor(x) <= 0.5 ? std::floor(x) : std::ceil(x);
      if (p.nearest == NearestMode::kRoundPreferCeil) i = x - std::floor(x) < 0.5 ? std::floor(x) : std::ceil(x);
      row[edge(i)] = 1;
      continue;
    }
    const int reach = p.mode == ResizeMode::kLinear ? 1 : 2;
    double sum = 0;
    for (double i = std::floor(x) - reach + 1; i <= std::floor(x) + reach; ++i) {
      const double weight = reach == 1 ? 1 - std::abs(x - i) : keys(p.cubic_a, x - i);
      if (p.exclude_outside && (i < 0 || i >= in)) continue;
      row[edge(i)] += weight;
      sum += weight;
    }
    if (p.exclude_outside) {
      for (double& weight : row) weight /= sum;
    }
  }
  return matrix;
}

std::vector<double> resize_by_matrices(const ResizeParams& p, const Tensor& x, int oh, int ow, double sh, double sw) {
  const int planes = static_cast<int>(x.shape[0] * x.shape[1]), h = static_cast<int>(x.shape[2]),
            w = static_cast<int>(x.shape[3]);
  const auto rows = axis_matrix(p, h, oh, sh), columns = axis_matrix(p, w, ow, sw);
  std::vector<double> result;
  for (int plane = 0; plane < planes; ++plane) {
    for (int oy = 0; oy < oh; ++oy) {
      for (int ox = 0; ox < ow; ++ox) {
        double sum = 0;
        for (int iy = 0; iy < h; ++iy) {
          for (int ix = 0; ix < w; ++ix) sum += rows[oy][iy] * columns[ox][ix] * x.data[(plane * h + iy) * w + ix];
        }
        result.push_back(sum);
      }
    }
  }
  return result;
}

const auto kCoordinates = {CoordinateMode::kHalfPixel, CoordinateMode::kPytorchHalfPixel, CoordinateMode::kAlignCorners,
                           CoordinateMode::kAsymmetric};

}  // namespace

TEST_CASE("resize equals its formulas evaluated as matrices in double") {
  const std::vector<std::array<int, 4>> sizes = {{1, 1, 1, 1}, {1, 1, 3, 4}, {2, 2, 4, 4}, {5, 7, 10, 21},
                                                 {7, 5, 3, 4}, {4, 4, 1, 3}, {3, 9, 7, 5}, {17, 3, 16, 8},
                                                 {6, 6, 6, 6}, {2, 16, 5, 2}};
  unsigned seed = 1;
  for (const auto& [h, w, oh, ow] : sizes) {
    const Tensor x = random({2, 3, h, w}, ++seed);
    for (const auto mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
      for (const auto coordinates : kCoordinates) {
        for (const auto nearest :
             {NearestMode::kRoundPreferFloor, NearestMode::kRoundPreferCeil, NearestMode::kFloor, NearestMode::kCeil}) {
          if (mode != ResizeMode::kNearest && nearest != NearestMode::kRoundPreferFloor) continue;
          for (const bool exclude : {false, true}) {
            ResizeParams p{mode, coordinates, nearest, exclude ? -0.5f : -0.75f, exclude, {}, {2, 3, oh, ow}};
            INFO(h << "x" << w << " to " << oh << "x" << ow << " mode " << int(mode) << " coordinates "
                   << int(coordinates) << " nearest " << int(nearest) << " exclude " << exclude);
            const double sh = static_cast<double>(oh) / h, sw = static_cast<double>(ow) / w;
            require_close(run(p, {&x}, {2, 3, oh, ow}), resize_by_matrices(p, x, oh, ow, sh, sw), 2e-5);
          }
        }
      }
    }
  }
}

TEST_CASE("resize by scales uses the given scale, not the ratio of the sizes") {
  const Tensor x = random({1, 2, 5, 7}, 3);
  for (const auto& [sh, sw] : std::vector<std::pair<float, float>>{{2, 3}, {0.5f, 0.7f}, {1.3f, 0.6f}, {1, 2.5f}}) {
    const int oh = static_cast<int>(std::floor(5 * sh)), ow = static_cast<int>(std::floor(7 * sw));
    for (const auto mode : {ResizeMode::kLinear, ResizeMode::kCubic}) {
      for (const auto coordinates : kCoordinates) {
        const ResizeParams p{mode, coordinates, NearestMode::kFloor, -0.75f, false, {1, 1, sh, sw}, {}};
        require_close(run(p, {&x}, {1, 2, oh, ow}), resize_by_matrices(p, x, oh, ow, sh, sw), 2e-5);
      }
    }
  }
}

// Values printed in the ONNX operator's own examples.
TEST_CASE("resize gives ONNX's published examples") {
  const Tensor two = iota({1, 1, 2, 2}), four = iota({1, 1, 4, 4}), wide = iota({1, 1, 2, 4});
  ResizeParams p;
  p.scales = {1, 1, 2, 3};
  REQUIRE(run(p, {&two}, {1, 1, 4, 6}).data ==
          std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});
  p.scales = {1, 1, 0.6f, 0.6f};
  REQUIRE(run(p, {&wide}, {1, 1, 1, 2}).data == std::vector<float>{1, 3});
  p.mode = ResizeMode::kLinear;
  require_close(run(p, {&wide}, {1, 1, 1, 2}), {2.6666665, 4.3333331}, 1e-6);
  p.coordinates = CoordinateMode::kAlignCorners;
  require_close(run(p, {&wide}, {1, 1, 1, 2}), {1.0, 3.142857}, 1e-6);
  p.scales = {1, 1, 2, 2};
  p.coordinates = CoordinateMode::kHalfPixel;
  require_close(run(p, {&two}, {1, 1, 4, 4}),
                {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4}, 1e-6);
  p.coordinates = CoordinateMode::kAlignCorners;
  require_close(run(p, {&two}, {1, 1, 4, 4}),
                doubles({1, 1.33333333f, 1.66666667f, 2, 1.66666667f, 2, 2.33333333f, 2.66666667f, 2.33333333f,
                         2.66666667f, 3, 3.33333333f, 3, 3.33333333f, 3.66666667f, 4}),
                1e-6);
  p.scales.clear();
  p.sizes = {1, 1, 3, 1};
  p.coordinates = CoordinateMode::kPytorchHalfPixel;
  require_close(run(p, {&four}, {1, 1, 3, 1}), {1.6666666, 7.0, 12.333333}, 1e-6);
}

TEST_CASE("cubic resize gives ONNX's published examples") {
  const Tensor four = iota({1, 1, 4, 4});
  ResizeParams p;
  p.mode = ResizeMode::kCubic;
  p.scales = {1, 1, 2, 2};
  Tensor y = run(p, {&four}, {1, 1, 8, 8});
  y.data.resize(8);
  require_close(y, {0.47265625, 0.76953125, 1.24609375, 1.875, 2.28125, 2.91015625, 3.38671875, 3.68359375}, 1e-6);
  p.scales = {1, 1, 0.8f, 0.8f};
  require_close(
      run(p, {&four}, {1, 1, 3, 3}),
      {1.47119141, 2.78125, 4.08251953, 6.71142578, 8.02148438, 9.32275391, 11.91650391, 13.2265625, 14.52783203},
      1e-5);
  p.scales = {1, 1, 2, 2};
  p.cubic_a = -0.5f;
  p.exclude_outside = true;
  y = run(p, {&four}, {1, 1, 8, 8});
  y.data.resize(8);
  require_close(y, {0.55882353, 0.81494204, 1.35698249, 1.89705882, 2.39705882, 2.93713516, 3.47917561, 3.73529412},
                1e-6);
}

TEST_CASE("resize works on any axes and ranks") {
  ResizeParams p;
  p.mode = ResizeMode::kLinear;
  const Tensor line = iota({3});
  p.sizes = {5};
  p.coordinates = CoordinateMode::kAlignCorners;
  REQUIRE(run(p, {&line}, {5}).data == std::vector<float>{1, 1.5f, 2, 2.5f, 3});
  // A ramp stays a ramp along each of five axes at once.
  const Tensor x = filled({2, 3, 2, 2, 3}, [](size_t i) {
    return static_cast<float>(i % 3 + i / 3 % 2 * 10 + i / 6 % 2 * 100 + i / 12 % 3 * 1000 + i / 36 * 10000);
  });
  p.sizes = {3, 5, 3, 3, 5};
  const Tensor y = run(p, {&x}, {3, 5, 3, 3, 5});
  for (size_t i = 0; i < y.data.size(); ++i) {
    const double wanted = 0.5 * (i % 5 + i / 5 % 3 * 10 + i / 15 % 3 * 100 + i / 45 % 5 * 1000 + i / 225 * 10000);
    REQUIRE(y.data[i] == Approx(wanted));
  }
}

TEST_CASE("taps stay inside and sum to one") {
  for (const auto mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
    for (const bool exclude : {false, true}) {
      const ResizeParams p{mode, CoordinateMode::kHalfPixel, NearestMode::kRoundPreferFloor, -0.75f, exclude, {}, {}};
      for (const auto& [in, out] : {std::pair{1, 9}, {9, 1}, {4, 4}, {1000, 7}, {7, 1000}}) {
        for (int o = 0; o < out; ++o) {
          const auto taps = kernels::resize_taps(p, kernels::resize_axis(p, 0, in, out), o);
          float sum = 0;
          for (int i = 0; i < taps.count; ++i) {
            REQUIRE(taps.index[i] >= 0);
            REQUIRE(taps.index[i] < in);
            sum += taps.weight[i];
          }
          REQUIRE(sum == Approx(1));
        }
      }
    }
  }
}

TEST_CASE("an empty input cannot be resized to something") {
  const format::OpParams p = ResizeParams{};
  const TensorView in{DataType::kF32, Shape{1, 0}, nullptr};
  const MutableTensorView out{DataType::kF32, Shape{1, 4}, nullptr};
  REQUIRE(kernels::select<kernels::DenseSlot>({&p, {&in, 1}, {&out, 1}}, {}) == nullptr);
}
