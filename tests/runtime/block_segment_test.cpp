// Networks whose channels fill blocks, in the layer executor: results, threads, batches, allocations.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "runtime/allocation_counter.h"
#include "runtime/block_segment.h"
#include "runtime/layer_executor.h"
#include "runtime/networks.h"
#include "runtime/program_builder.h"

using namespace coco;
using namespace coco::format;
using coco::runtime::LayerExecutor;
using coco::testing::ProgramBuilder;
using coco::testing::random_values;
using coco::testing::resolve;
using coco::testing::Tensors;

namespace {

int32_t convolve(ProgramBuilder& b, int32_t x, int64_t channels, int64_t kernel, int64_t stride, int64_t dilation,
                 UnaryKind activation, bool depthwise = false) {
  const int64_t in = b.program.values[x].shape[1];
  Conv2dParams p;
  p.kernel = {kernel, kernel}, p.stride = {stride, stride}, p.dilation = {dilation, dilation};
  const int64_t pad = (kernel - 1) * dilation / 2;
  p.pads = {pad, pad, pad, pad};
  p.group = depthwise ? in : 1;
  p.activation = activation, p.act_a = activation == UnaryKind::kClip ? -0.5f : 0.1f, p.act_b = 0.5f;
  const int64_t out = depthwise ? in : channels, read = depthwise ? 1 : in;
  std::vector<float> weights = random_values(out * read * kernel * kernel, static_cast<unsigned>(out + read));
  for (float& w : weights) w /= std::sqrt(static_cast<float>(read * kernel * kernel));
  return b.op(p, {x, b.constant({out, read, kernel, kernel}, weights), b.random_constant({out}), kNoValue});
}

int32_t add(ProgramBuilder& b, int32_t x, int32_t y) { return b.op(BinaryParams{BinaryKind::kAdd}, {x, y}); }
int32_t unary(ProgramBuilder& b, UnaryKind kind, int32_t x) { return b.op(UnaryParams{kind, 0.1f, 0.6f}, {x}); }
int32_t pool(ProgramBuilder& b, PoolKind kind, int64_t kernel, int64_t stride, int64_t pad, int32_t x) {
  Pool2dParams p;
  p.kind = kind, p.kernel = {kernel, kernel}, p.stride = {stride, stride}, p.pads = {pad, pad, pad, pad};
  return b.op(p, {x});
}

// Residual blocks, strides, depthwise kernels, pools, resizing, joins; results in the middle and at the end.
ProgramBuilder make_network(int64_t n, int64_t h, int64_t w) {
  ProgramBuilder b;
  const int32_t image = b.input("x", {n, 3, h, w});
  const int32_t stem = convolve(b, image, 32, 3, 2, 1, UnaryKind::kRelu);
  const int32_t wide = convolve(b, stem, 48, 1, 1, 1, UnaryKind::kClip);
  const int32_t deep = convolve(b, wide, 0, 3, 1, 1, UnaryKind::kLeakyRelu, true);
  const int32_t small = add(b, stem, convolve(b, deep, 32, 1, 1, 1, UnaryKind::kIdentity));
  const int32_t past = convolve(b, small, 64, 1, 2, 1, UnaryKind::kIdentity);
  const int32_t main =
      convolve(b, convolve(b, small, 64, 3, 2, 1, UnaryKind::kRelu), 64, 3, 1, 2, UnaryKind::kIdentity);
  const int32_t residual = unary(b, UnaryKind::kRelu, add(b, past, main));
  const int32_t after = add(b, convolve(b, residual, 64, 3, 1, 1, UnaryKind::kLeakyRelu), residual);
  const int32_t pooled = pool(b, PoolKind::kMax, 3, 1, 1, pool(b, PoolKind::kAverage, 2, 1, 1, after));
  ResizeParams resize;
  resize.mode = ResizeMode::kLinear, resize.scales = {1, 1, 2, 2};
  const int32_t joined = b.op(ConcatParams{1}, {b.op(resize, {pooled}), b.op(resize, {pooled})});
  const int32_t last = convolve(b, joined, 40, 3, 1, 1, UnaryKind::kRelu);
  const int32_t twice = unary(b, UnaryKind::kTanh, b.op(BinaryParams{BinaryKind::kMul}, {last, last}));
  // Joins of a picture with itself, of a join, and of one that is a result as well.
  const int32_t same = b.op(ConcatParams{1}, {small, small});
  const int32_t nested = b.op(ConcatParams{1}, {same, convolve(b, small, 16, 1, 1, 1, UnaryKind::kRelu)});
  b.output(convolve(b, convolve(b, nested, 0, 3, 1, 1, UnaryKind::kRelu, true), 24, 1, 1, 1, UnaryKind::kClip));
  b.output(same);
  b.output(residual);
  b.output(twice);
  b.output(b.op(ReduceParams{ReduceKind::kMean, {2, 3}, true}, {twice}));
  return b;
}

Tensors run(const Program& program, const Tensors& inputs, const SessionOptions& options, size_t* steps = nullptr) {
  const std::vector<Shape> shapes = resolve(program);
  auto executor = LayerExecutor::create(program, shapes, options);
  if (!executor.ok()) FAIL(executor.error().message);
  Tensors results;
  for (const int32_t v : program.outputs) results.add_blank(shapes[v]);
  (*executor)->run(inputs.views(), results.mutable_views());
  if (steps != nullptr) *steps = (*executor)->steps();
  const auto in = inputs.views();
  const auto out = results.mutable_views();
  const size_t before = coco::testing::allocation_count();
  (*executor)->run(in, out);
  CHECK(coco::testing::allocation_count() == before);
  return results;
}

double worst_error(const Tensors& a, const Tensors& b) {
  double worst = 0;
  for (size_t i = 0; i < a.data.size(); ++i)
    for (size_t k = 0; k < a.data[i].size(); ++k) {
      const double x = a.data[i][k], y = b.data[i][k];
      const double error = std::abs(x - y) / std::max(1.0, std::abs(y));
      if (!(error <= worst)) worst = error;
    }
  return worst;
}

}  // namespace

TEST_CASE("block segment: a network with skips agrees with the reference, whatever the threads", "[runtime]") {
  for (const auto& [n, h, w] : {std::array<int64_t, 3>{1, 32, 40}, {2, 28, 30}, {1, 57, 9}, {3, 8, 66}}) {
    const ProgramBuilder b = make_network(n, h, w);
    Tensors inputs;
    inputs.add({n, 3, h, w}, random_values(n * 3 * h * w, 7));
    SessionOptions plain, one, two, three;
    plain.reference_kernels = true;
    one.threads = 1, two.threads = 2, three.threads = 3;
    size_t steps = 0;
    const Tensors expected = run(b.program, inputs, plain), result = run(b.program, inputs, one, &steps);
    INFO(n << " pictures of " << h << " x " << w);
    CHECK(steps == 1);
    CHECK(worst_error(result, expected) <= 1e-4);
    CHECK(run(b.program, inputs, two).data == result.data);
    CHECK(run(b.program, inputs, three).data == result.data);
  }
}

namespace {

// Every operator on integers that works in blocks: results of both types, in the middle and at the end.
format::Program make_integer_network(int64_t n, int64_t h, int64_t w) {
  coco::testing::NetworkBuilder net(5);
  QuantConv2dParams p;
  const auto conv = [&](int x, int in, int out, int64_t kernel, int64_t stride, bool depthwise, int zero) {
    p.kernel = {kernel, kernel}, p.stride = {stride, stride}, p.group = depthwise ? in : 1;
    p.pads = {(kernel - 1) / 2, (kernel - 1) / 2, (kernel - 1) / 2, (kernel - 1) / 2};
    p.in_zero_point = p.out_zero_point, p.out_zero_point = zero;
    return net.quant_conv(x, in, out, p);
  };
  p.out_zero_point = 9;
  const int stem = conv(net.op(QuantizeParams{255, 9}, {net.input({n, 3, h, w})}), 3, 32, 3, 2, false, 77);
  const int deep = conv(conv(stem, 32, 48, 1, 1, false, 100), 48, 48, 3, 1, true, 120);
  const int thin = conv(deep, 48, 32, 1, 1, false, 50);
  QuantBinaryParams sum;
  sum.a_zero_point = 77, sum.b_zero_point = 50, sum.out_zero_point = 130;
  sum.a_factor = 20000, sum.b_factor = 30000, sum.scale = 1.0f / 32768;
  const int table = net.integers<uint8_t>({256}, DataType::kU8, 0, 256);
  const int looked = net.op(LookupParams{60}, {net.op(sum, {stem, thin}), table});
  Pool2dParams pool;
  pool.kernel = {3, 3}, pool.stride = {2, 2}, pool.pads = {1, 1, 1, 1};
  const int pooled = net.op(pool, {looked});
  ResizeParams nearest, linear;
  nearest.mode = ResizeMode::kNearest, nearest.scales = linear.scales = {1, 1, 2, 2};
  linear.mode = ResizeMode::kLinear;
  const int joined = net.op(ConcatParams{1}, {net.op(nearest, {pooled}), net.op(linear, {pooled})});
  p.out_zero_point = 60;
  const int small = conv(joined, 64, 64, 4, 2, true, 40);
  p.dequantize = true;
  const int floats = net.op(UnaryParams{UnaryKind::kRelu}, {conv(small, 64, 40, 1, 1, false, 0)});
  p.out_zero_point = 128;
  const int normal = net.op(GroupNormParams{40, 1e-5f}, {floats, net.random_constant({40}, 1), format::kNoValue});
  const int last = conv(net.op(QuantizeParams{100, 128}, {normal}), 40, 20, 3, 1, false, 0);
  return net.finish({last, looked, floats, joined});
}

std::vector<std::vector<uint8_t>> run_bytes(const Program& program, const std::vector<float>& input,
                                            const SessionOptions& options, size_t* steps = nullptr) {
  const std::vector<Shape> shapes = resolve(program);
  auto executor = LayerExecutor::create(program, shapes, options);
  if (!executor.ok()) FAIL(executor.error().message);
  std::vector<std::vector<uint8_t>> results;
  std::vector<MutableTensorView> out;
  for (const int32_t v : program.outputs) {
    const DataType type = program.values[v].type;
    results.emplace_back(static_cast<size_t>(shapes[v].element_count().value()) * byte_size(type), 0xa5);
    out.push_back({type, shapes[v], results.back().data()});
  }
  const TensorView in{DataType::kF32, shapes[program.inputs[0]], input.data()};
  (*executor)->run({&in, 1}, out);
  const size_t before = coco::testing::allocation_count();
  (*executor)->run({&in, 1}, out);
  CHECK(coco::testing::allocation_count() == before);
  if (steps != nullptr) *steps = (*executor)->steps();
  return results;
}

}  // namespace

TEST_CASE("block segment: a network of integers gives the reference's bytes, whatever the threads", "[runtime]") {
  for (const auto& [n, h, w] : {std::array<int64_t, 3>{1, 32, 40}, {2, 28, 30}, {1, 57, 9}, {3, 8, 66}}) {
    const Program program = make_integer_network(n, h, w);
    const std::vector<float> input = random_values(n * 3 * h * w, 7);
    SessionOptions plain, one, two, three;
    plain.reference_kernels = true;
    one.threads = 1, two.threads = 2, three.threads = 3;
    size_t steps = 0;
    const auto expected = run_bytes(program, input, plain);
    INFO(n << " pictures of " << h << " x " << w);
    CHECK(run_bytes(program, input, one, &steps) == expected);
    CHECK(steps == 1);
    CHECK(run_bytes(program, input, two) == expected);
    CHECK(run_bytes(program, input, three) == expected);
  }
}

TEST_CASE("block segment: a profile times every operator of its own and changes no result", "[runtime]") {
  const ProgramBuilder b = make_network(1, 32, 40);
  Tensors inputs;
  inputs.add({1, 3, 32, 40}, random_values(3 * 32 * 40, 7));
  SessionOptions plain, timed;
  plain.threads = timed.threads = 2;
  timed.profile = true;
  CHECK(run(b.program, inputs, timed).data == run(b.program, inputs, plain).data);
  auto executor = LayerExecutor::create(b.program, resolve(b.program), timed);
  REQUIRE(executor.ok());
  Tensors results;
  const std::vector<Shape> shapes = resolve(b.program);
  for (const int32_t v : b.program.outputs) results.add_blank(shapes[v]);
  (*executor)->run(inputs.views(), results.mutable_views());
  std::vector<OperatorProfile> rows;
  (*executor)->add_profile(rows);
  std::set<int> timed_operators;
  std::multiset<std::string> others;
  for (const OperatorProfile& row : rows) {
    CHECK(row.step == 0);
    CHECK(row.ms >= 0);
    if (row.index < 0) {
      others.insert(row.op);
    } else {
      CHECK(timed_operators.insert(row.index).second);
      CHECK(row.ms > 0);
    }
  }
  CHECK(others.count("load") == 1);
  CHECK(others.count("store") == b.program.outputs.size());
  CHECK(others.count("wait") == 1);
  // A depthwise convolution in front of a 1x1 one, sums and activations behind a convolution are done by it.
  size_t convolutions = 0, with_time = 0;
  for (size_t i = 0; i < b.program.operators.size(); ++i) {
    if (b.program.operators[i].kind() != OpKind::kConv2d) continue;
    ++convolutions;
    with_time += timed_operators.count(static_cast<int>(i));
  }
  CHECK(convolutions > 4);
  CHECK(with_time + 2 >= convolutions);
}

TEST_CASE("block segment: narrow, grouped and pruned convolutions and large pictures go another way", "[runtime]") {
  const auto suits = [](int64_t channels, int64_t groups, int zeros, int64_t side = 16) {
    ProgramBuilder b;
    const int32_t x = b.input("x", {1, channels, side, side});
    Conv2dParams p;
    p.kernel = {3, 3}, p.pads = {1, 1, 1, 1}, p.group = groups;
    std::vector<float> weights = random_values(channels * channels / groups * 9, 3);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int>(i % 10) < zeros ? 0.0f : 0.5f;
    b.output(b.op(p, {x, b.constant({channels, channels / groups, 3, 3}, weights), kNoValue, kNoValue}));
    return runtime::suits_blocks(b.program, resolve(b.program), {});
  };
  CHECK(suits(32, 1, 0));
  CHECK(suits(32, 32, 0));
  CHECK_FALSE(suits(8, 1, 0));
  CHECK_FALSE(suits(32, 2, 0));
  CHECK_FALSE(suits(32, 1, 5));
  CHECK(suits(32, 1, 0, 512));
  CHECK_FALSE(suits(32, 1, 0, 513));
}

TEST_CASE("block segment: pruned integers work in blocks where rows are short", "[runtime]") {
  const auto suits = [](int64_t side, int64_t pruned_channels) {
    coco::testing::NetworkBuilder net(3);
    QuantConv2dParams p;
    p.kernel = {3, 3}, p.pads = {1, 1, 1, 1}, p.dequantize = true;
    const int x = net.op(QuantizeParams{255, 0}, {net.input({1, 32, side, side})});
    const auto keeps = [&](int64_t m, int64_t c, int64_t) { return (m / pruned_channels + c / 4) % 2 == 0; };
    const Program program = net.finish({net.quant_conv(x, 32, 32, p, keeps)});
    return runtime::suits_blocks(program, resolve(program), {});
  };
  CHECK(suits(16, 8));  // no step of 16 x 4 is without weights, half of each is
  CHECK_FALSE(suits(80, 8));
  CHECK(suits(80, 16));
}

TEST_CASE("matmul step: products with constant matrices agree with the reference, whatever the threads", "[runtime]") {
  struct Case {
    Shape a;
    int64_t width;
    bool transposed, bias;
  };
  for (const Case& c : {Case{{1, 300}, 1000, true, true},
                        {{2, 13, 40}, 24, false, false},
                        {{37, 16}, 17, true, false},
                        {{3, 5, 7}, 9, false, true},
                        {{4, 8}, 3, false, true}}) {
    ProgramBuilder b;
    const int64_t depth = c.a[c.a.rank() - 1];
    const Shape weight = c.transposed ? Shape{c.width, depth} : Shape{depth, c.width};
    MatMulParams p;
    p.transpose_b = c.transposed;
    const int32_t x = b.input("x", c.a);
    const int32_t bias = c.bias ? b.random_constant({c.width}) : kNoValue;
    b.output(b.op(p, {x, b.random_constant(weight), bias}));
    Tensors inputs;
    inputs.add(c.a, random_values(c.a.element_count().value(), 4));
    SessionOptions plain, one, two, three;
    plain.reference_kernels = true;
    one.threads = 1, two.threads = 2, three.threads = 3;
    const Tensors expected = run(b.program, inputs, plain), result = run(b.program, inputs, one);
    INFO(c.a.to_string() << " to " << c.width << " columns");
    CHECK(worst_error(result, expected) <= 1e-5);
    CHECK(run(b.program, inputs, two).data == result.data);
    CHECK(run(b.program, inputs, three).data == result.data);
  }
}
