// Integer networks drawn at random: every instruction set of this machine, under random tilings, against the dense
// references, to the byte. COCO_FUZZ_SEEDS=N draws N networks instead of a few.
#include <cstdlib>
#include <random>

#include "catch.h"
#include "coco/session.h"
#include "kernels/resample_support.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

class Draw {
 public:
  explicit Draw(unsigned seed, bool wide = false) : wide_(wide), random_(seed) {}
  /// Channels that fill blocks of 16, in the layer executor.
  bool wide() const { return wide_; }
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  template <typename T>
  T any_of(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<int>(values.size()))];
  }

 private:
  bool wide_;
  std::mt19937 random_;
};

/// A u8 tensor of the network being drawn.
struct Tensor {
  int value = 0, channels = 0, zero_point = 0, halvings = 0;
  int size = 0;  ///< equal numbers: equal pictures
};

/// Dense, blocks of 4 x 4 channels with a pattern each, blocks with any taps, whole blocks gone.
std::function<bool(int64_t, int64_t, int64_t)> draw_sparsity(Draw& draw) {
  const int kind = draw.below(4);
  if (kind == 0) return {};
  std::vector<unsigned> kept(64);
  for (unsigned& taps : kept)
    taps = kind == 1   ? draw.any_of({0x1bu, 0x36u, 0xd8u, 0x1b0u})
           : kind == 2 ? static_cast<unsigned>(draw.below(512))
                       : draw.any_of({0u, ~0u});
  return [kept](int64_t m, int64_t c, int64_t tap) {
    return (kept[static_cast<size_t>((m / 4 * 7 + c / 4) % 64)] >> (tap % 32) & 1) != 0;
  };
}

format::QuantConv2dParams draw_params(Draw& draw, const Tensor& x, bool dequantize) {
  format::QuantConv2dParams p;
  constexpr int kMostTaps = 500;  // sums stay below 2^24
  int64_t kernel = draw.any_of({1, 3, 3, 3, 5});
  while (kernel > 1 && x.channels * kernel * kernel > kMostTaps) kernel -= 2;
  p.kernel = {kernel, draw.below(4) == 0 ? int64_t{1} : kernel};
  p.dilation = {draw.any_of<int64_t>({1, 1, 2}), draw.any_of<int64_t>({1, 1, 2})};
  for (size_t axis = 0; axis < 2; ++axis) p.pads[axis] = p.pads[axis + 2] = p.kernel[axis] / 2 * p.dilation[axis];
  p.in_zero_point = x.zero_point, p.out_zero_point = draw.any_of({0, 255, draw.below(256)});
  p.low = draw.below(3) == 0 ? draw.below(100) : 0, p.high = draw.below(3) == 0 ? 255 - draw.below(100) : 255;
  p.dequantize = dequantize;
  return p;
}

Tensor add_conv(NetworkBuilder& net, Draw& draw, const Tensor& x) {
  auto params = draw_params(draw, x, false);
  int out = draw.wide() ? draw.any_of({16, 24, 32, 32, 45, 48}) : draw.any_of({1, 3, 4, 5, 8, 8, 12, 16, 19});
  if (draw.below(4) == 0) out = x.channels, params.group = x.channels;
  const bool halve = x.halvings < 2 && draw.below(5) == 0;
  if (halve) params.stride = {2, 2};
  const int value = net.quant_conv(x.value, x.channels, out, params, draw_sparsity(draw));
  const int halvings = x.halvings + (halve ? 1 : 0);
  return {value, out, static_cast<int>(params.out_zero_point), halvings, halve ? value : x.size};
}

Tensor add_lookup(NetworkBuilder& net, Draw& draw, const Tensor& x) {
  const int zero = draw.below(256);
  const int table = net.integers<uint8_t>({256}, DataType::kU8, 0, 256);
  return {net.op(format::LookupParams{zero}, {x.value, table}), x.channels, zero, x.halvings, x.size};
}

Tensor add_binary(NetworkBuilder& net, Draw& draw, const Tensor& a, const Tensor& b) {
  format::QuantBinaryParams p;
  p.kind = draw.any_of({format::BinaryKind::kAdd, format::BinaryKind::kMul});
  p.a_zero_point = a.zero_point, p.b_zero_point = b.zero_point,
  p.out_zero_point = draw.any_of({0, 255, draw.below(256)});
  p.a_factor = draw.any_of({32767, -32767, draw.between(-32767, 32767)});
  p.b_factor = draw.any_of({32767, 1, draw.between(-32767, 32767)});
  p.scale = (draw.below(2) == 0 ? 0.6f : 0.0173f) / (p.kind == format::BinaryKind::kMul ? 100.0f : 32767.0f);
  if (draw.below(3) == 0) p.low = draw.below(100), p.high = 255 - draw.below(100);
  const int zero = static_cast<int>(p.out_zero_point);
  return {net.op(p, {a.value, b.value}), a.channels, zero, a.halvings, a.size};
}

format::ResizeParams draw_resize(Draw& draw) {
  using format::CoordinateMode;
  format::ResizeParams p;
  p.mode = draw.any_of({format::ResizeMode::kNearest, format::ResizeMode::kLinear});
  p.coordinates = draw.any_of({CoordinateMode::kHalfPixel, CoordinateMode::kAsymmetric, CoordinateMode::kAlignCorners});
  p.nearest = draw.any_of({format::NearestMode::kFloor, format::NearestMode::kRoundPreferCeil});
  p.scales = {1, 1, draw.any_of({2.0f, 1.0f, 1.7f}), draw.any_of({2.0f, 1.5f})};
  return p;
}

/// An operator between convolutions that leaves u8 as u8; `other` has the size of x or is of no use.
Tensor add_between(NetworkBuilder& net, Draw& draw, const Tensor& x, const Tensor& other) {
  Tensor y = x;
  const bool fits = other.size == x.size && other.channels > 0;
  switch (draw.below(6)) {
    case 0: {
      format::Pool2dParams p;
      const int64_t kernel = draw.any_of({2, 3});
      p.kernel = {kernel, kernel}, p.pads = {1, 1, 1, 1};
      p.stride = {draw.between(1, 2), draw.between(1, 2)};
      y.value = y.size = net.op(p, {x.value});
      return y;
    }
    case 1:
      y.value = y.size = net.op(draw_resize(draw), {x.value});
      return y;
    case 2:
      y.channels = x.channels + (fits ? other.channels : x.channels);
      y.value = net.op(format::ConcatParams{1}, {x.value, fits ? other.value : x.value});
      return y;
    case 3:
      if (x.channels < 2) return y;
      y.channels = x.channels - 1;
      y.value = net.op(format::SliceParams{{1}, {1}, {x.channels}, {1}}, {x.value});
      return y;
    case 4:
      return add_binary(net, draw, x, fits && other.channels == x.channels ? other : add_lookup(net, draw, x));
    default:
      return add_lookup(net, draw, x);
  }
}

/// A chain, and at times a second reader of one of its tensors whose f32 results are added at the end.
format::Program draw_network(Draw& draw, unsigned seed, int channels) {
  NetworkBuilder net(seed);
  const int zero = draw.any_of({0, 128, draw.below(256)});
  const int in = net.input({1, channels, kDynamicDim, kDynamicDim});
  Tensor x{net.op(format::QuantizeParams{draw.any_of({255.0f, 100.0f}), zero}, {in}), channels, zero};
  Tensor branch;
  for (int layers = draw.between(0, 4); layers > 0; --layers) {
    x = add_conv(net, draw, x);
    if (draw.below(2) == 0) branch = x;
    while (draw.below(2) == 0) x = add_between(net, draw, x, branch);
  }
  const int out = draw.any_of({1, 4, 8, 11});
  const auto last = [&](const Tensor& from) {
    return net.quant_conv(from.value, from.channels, out, draw_params(draw, from, true), draw_sparsity(draw));
  };
  int result = last(x);
  if (branch.channels > 0 && branch.size == x.size) result = net.op(format::BinaryParams{}, {result, last(branch)});
  if (out % 4 == 0 && draw.below(2) == 0) result = net.op(format::DepthToSpaceParams{}, {result});
  return net.finish({result});
}

std::vector<float> run(const std::shared_ptr<const Model>& model, const Shape& shape, const std::vector<float>& input,
                       const SessionOptions& options) {
  auto session = Session::create(model, std::vector<Shape>{shape}, options);
  INFO((session.ok() ? "" : session.error().message));
  REQUIRE(session.ok());
  const Shape& result = (*session)->outputs()[0].shape;
  std::vector<float> output(static_cast<size_t>(*result.element_count()), -1.0f);
  const TensorView in{DataType::kF32, shape, input.data()};
  const MutableTensorView out{DataType::kF32, result, output.data()};
  REQUIRE((*session)->run({&in, 1}, {&out, 1}).ok());
  return output;
}

void check(unsigned seed, bool wide) {
  Draw draw(seed, wide);
  const int channels = draw.any_of({1, 1, 2, 3, 4, 7});
  auto model = Model::from_program(draw_network(draw, seed, channels));
  INFO("seed " << seed << (model.ok() ? "" : ": " + model.error().message));
  REQUIRE(model.ok());
  const Shape shape{1, channels, draw.between(1, 40), draw.between(1, 90)};
  std::vector<float> input = Noise(seed).many(static_cast<size_t>(*shape.element_count()), 0.7f);
  for (float& v : input) v += 0.5f;
  SessionOptions dense;
  dense.executor = ExecutorKind::kLayer, dense.reference_kernels = true, dense.threads = 1;
  const std::vector<float> expected = run(*model, shape, input, dense);
  kernels::for_each_target([&] {
    SessionOptions options;
    options.executor = wide ? ExecutorKind::kLayer : draw.any_of({ExecutorKind::kLine, ExecutorKind::kLayer});
    options.techniques.skip_zeros = draw.below(4) != 0;
    options.strip_width = draw.between(1, 100), options.band_height = draw.between(1, 50);
    options.threads = draw.between(1, 3);
    INFO("strips of " << options.strip_width << ", bands of " << options.band_height << ", picture "
                      << shape.to_string());
    CHECK((run(*model, shape, input, options) == expected));
  });
}

}  // namespace

TEST_CASE("random integer networks give the same bytes on every target") {
  const char* seeds = std::getenv("COCO_FUZZ_SEEDS");
  const auto count = seeds != nullptr ? static_cast<unsigned>(std::strtoul(seeds, nullptr, 10)) : 60u;
  for (unsigned seed = 1; seed <= count; ++seed) check(seed, false);
}

TEST_CASE("random integer networks whose channels fill blocks give the same bytes on every target") {
  const char* seeds = std::getenv("COCO_FUZZ_SEEDS");
  const auto count = seeds != nullptr ? static_cast<unsigned>(std::strtoul(seeds, nullptr, 10)) : 60u;
  for (unsigned seed = 1; seed <= count; ++seed) check(seed, true);
}
