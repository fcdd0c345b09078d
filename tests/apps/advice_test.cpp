#include "apps/cocopipe/report/advice.h"

#include <algorithm>

#include "apps/cocopipe/report/advice_rules.h"
#include "runtime/program_builder.h"

using namespace coco;
using namespace coco::format;
using coco::cli::LayerAlone;
using coco::testing::ProgramBuilder;

namespace {

const cli::AdviceRule& rule(const std::string& name) {
  const auto rules = cli::advice_rules();
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.name == name; });
  REQUIRE(found != rules.end());
  return *found;
}

/// The last operator of the program alone.
LayerAlone last_alone(const ProgramBuilder& b) {
  std::vector<Shape> shapes;
  for (const Value& value : b.program.values) shapes.push_back(value.shape);
  const auto alone = cli::layer_alone(b.program, b.program.operators.size() - 1, shapes);
  REQUIRE(alone.has_value());
  return *alone;
}

/// The result of a layer for inputs that depend on their shapes alone.
std::vector<float> results(const LayerAlone& layer, Shape* shape = nullptr) {
  const auto model = Model::from_program(layer.program);
  if (!model.ok()) FAIL(model.error().message);
  const auto session = Session::create(*model, layer.shapes, {});
  if (!session.ok()) FAIL(session.error().message);
  const auto tensors = cli::make_tensors(**model, **session, layer.shapes);
  REQUIRE((*session)->run(tensors.in, tensors.out).ok());
  if (shape != nullptr) *shape = tensors.out[0].shape;
  const auto* values = tensors.out[0].as<float>();
  return {values, values + tensors.out[0].shape.element_count().value()};
}

/// Its shape, once the layer has run.
Shape result_of(const LayerAlone& layer) {
  Shape shape;
  results(layer, &shape);
  return shape;
}

double zeros(const LayerAlone& layer) {
  const auto weights = cli::elements<float>(*layer.input(1));
  return static_cast<double>(std::count(weights.begin(), weights.end(), 0.0f)) / static_cast<double>(weights.size());
}

ProgramBuilder conv(int64_t in, int64_t out, int64_t kernel, UnaryKind activation = UnaryKind::kRelu) {
  ProgramBuilder b;
  b.output(b.conv(b.input("x", {1, in, 12, 16}), out, kernel, activation));
  return b;
}

void require_silent(const std::string& name, const ProgramBuilder& b) {
  INFO(name);
  REQUIRE_FALSE(rule(name).apply(last_alone(b)).has_value());
}

}  // namespace

TEST_CASE("an operator alone reads inputs of its own and gives what it gave") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {1, 4, 6, 8});
  b.output(b.op(BinaryParams{BinaryKind::kAdd}, {b.conv(x, 4, 3), x}));
  const LayerAlone sum = last_alone(b);
  REQUIRE(sum.shapes == std::vector<Shape>{{1, 4, 6, 8}, {1, 4, 6, 8}});
  REQUIRE(sum.program.operators.size() == 1);
  REQUIRE(result_of(sum) == Shape{1, 4, 6, 8});
}

TEST_CASE("pruning rules leave what they say, and dense layers of their kernel alone") {
  const auto positions = rule("positions").apply(last_alone(conv(8, 16, 3)));
  REQUIRE(positions.has_value());
  REQUIRE(zeros(*positions) == Approx(5.0 / 9));
  REQUIRE(result_of(*positions) == Shape{1, 16, 12, 16});
  require_silent("positions", conv(8, 16, 1));
  const auto blocks = rule("blocks").apply(last_alone(conv(16, 32, 1)));
  REQUIRE(blocks.has_value());
  REQUIRE(zeros(*blocks) == Approx(0.5));
  require_silent("blocks", conv(16, 32, 3));
  ProgramBuilder pruned = conv(8, 16, 3);
  auto& weight = pruned.program.values[static_cast<size_t>(pruned.program.operators[0].inputs[1])];
  weight.constant = positions->input(1)->constant;
  require_silent("positions", pruned);
}

TEST_CASE("a convolution in integers keeps its shape, and one that is integer gets no such advice") {
  const auto integers = rule("integers").apply(last_alone(conv(8, 16, 3)));
  REQUIRE(integers.has_value());
  REQUIRE(integers->op().kind() == OpKind::kQuantConv2d);
  REQUIRE(result_of(*integers) == Shape{1, 16, 12, 16});
  ProgramBuilder b;
  b.program = integers->program;
  require_silent("integers", b);
  REQUIRE(rule("positions").apply(last_alone(b)).has_value());
}

TEST_CASE("rules of the convolution's form") {
  const auto plain = rule("activation").apply(last_alone(conv(8, 8, 3, UnaryKind::kSwish)));
  REQUIRE(plain.has_value());
  REQUIRE(std::get<Conv2dParams>(plain->op().params).activation == UnaryKind::kRelu);
  for (const UnaryKind free : {UnaryKind::kIdentity, UnaryKind::kRelu, UnaryKind::kLeakyRelu, UnaryKind::kClip})
    require_silent("activation", conv(8, 8, 3, free));

  const auto tiles = rule("channels").apply(last_alone(conv(8, 18, 3)));
  REQUIRE(tiles.has_value());
  REQUIRE(result_of(*tiles) == Shape{1, 16, 12, 16});
  for (const int64_t channels : {16, 4, 12}) require_silent("channels", conv(8, channels, 3));

  ProgramBuilder dilated;
  Conv2dParams p;
  p.kernel = {3, 3}, p.dilation = {2, 2}, p.pads = {2, 2, 2, 2};
  const int32_t x = dilated.input("x", {1, 8, 12, 16});
  dilated.output(dilated.op(p, {x, dilated.random_constant({8, 8, 3, 3}), kNoValue, kNoValue}));
  const auto tight = rule("dilation").apply(last_alone(dilated));
  REQUIRE(tight.has_value());
  REQUIRE(result_of(*tight) == Shape{1, 8, 12, 16});
  require_silent("dilation", conv(8, 8, 3));
}

TEST_CASE("a stride of 2 as SpaceToDepth gives the same results") {
  for (const int64_t kernel : {1, 2, 3, 4, 5}) {
    for (const int64_t pad : {int64_t{0}, kernel / 2}) {
      INFO("kernel " << kernel << ", pad " << pad);
      ProgramBuilder b;
      Conv2dParams p;
      p.kernel = {kernel, kernel}, p.stride = {2, 2}, p.pads = {pad, pad, pad, pad};
      const int32_t x = b.input("x", {1, 3, 12, 16});
      b.output(b.op(p, {x, b.random_constant({4, 3, kernel, kernel}), b.random_constant({4}), kNoValue}));
      const LayerAlone plain = last_alone(b);
      const auto changed = rule("stride").apply(plain);
      REQUIRE(changed.has_value());
      REQUIRE(changed->program.operators.size() == 2);
      const auto expected = results(plain), given = results(*changed);
      REQUIRE(given.size() == expected.size());
      for (size_t i = 0; i < given.size(); ++i) REQUIRE(given[i] == Approx(expected[i]).margin(1e-5));
    }
  }
  require_silent("stride", conv(8, 8, 3));
}

TEST_CASE("rules of other operators") {
  ProgramBuilder up;
  ConvTranspose2dParams t;
  t.kernel = {4, 4}, t.stride = {2, 2}, t.pads = {1, 1, 1, 1};
  const int32_t x = up.input("x", {1, 8, 6, 8});
  up.output(up.op(t, {x, up.random_constant({8, 4, 4, 4}), kNoValue}));
  const auto shuffled = rule("shuffle").apply(last_alone(up));
  REQUIRE(shuffled.has_value());
  REQUIRE(result_of(*shuffled) == Shape{1, 4, 12, 16});
  require_silent("shuffle", conv(8, 8, 3));

  ProgramBuilder resize;
  ResizeParams r;
  r.mode = ResizeMode::kCubic, r.scales = {1, 1, 2, 2};
  resize.output(resize.op(r, {resize.input("x", {1, 3, 6, 8})}));
  const auto nearest = rule("nearest").apply(last_alone(resize));
  REQUIRE(nearest.has_value());
  REQUIRE(result_of(*nearest) == Shape{1, 3, 12, 16});

  ProgramBuilder pool;
  Pool2dParams w;
  w.kernel = {3, 3}, w.stride = {2, 2}, w.pads = {1, 1, 1, 1};
  pool.output(pool.op(w, {pool.input("x", {1, 3, 7, 8})}));
  const auto windows = rule("windows").apply(last_alone(pool));
  REQUIRE(windows.has_value());
  REQUIRE(result_of(*windows) == result_of(last_alone(pool)));
}

TEST_CASE("advice names the layers and counts what they would save of the time they take") {
  ProgramBuilder b;
  int32_t x = b.input("x", {1, 4, 12, 16});
  for (int i = 0; i < 2; ++i) x = b.op(TransposeParams{{0, 1, 3, 2}}, {x});
  b.output(b.op(UnaryParams{UnaryKind::kExp}, {x}));
  std::vector<Shape> shapes;
  for (const Value& value : b.program.values) shapes.push_back(value.shape);
  std::vector<OperatorProfile> rows;
  for (int i = 0; i < 3; ++i) {
    rows.push_back({i, b.program.operators[static_cast<size_t>(i)].name, "", "", i, false, 0, 1.0 + i});
  }
  rows.push_back({-1, "", "load", "", 0, true, 0, 4.0});
  const auto found = cli::find_advice(b.program, shapes, rows, {});
  const auto& advice = found.best;
  CHECK(found.tried == Approx(0.6));  // 6 of 10 ms
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].rule == "order");
  CHECK(advice[0].layers == std::vector<std::string>{"op1", "op0"});  // the slower one first
  CHECK(advice[0].saves_ms == Approx(3.0));
  CHECK(advice[0].basis.find("'op1' takes 2.000 ms") == 0);

  cli::AdviceLimits limits;
  limits.least_share = 0.5;
  CHECK(cli::find_advice(b.program, shapes, rows, {}, {}, limits).best.empty());
  limits = {};
  limits.most = 0;
  CHECK(cli::find_advice(b.program, shapes, rows, {}, {}, limits).best.empty());
}

TEST_CASE("the largest gain comes first, and what has kept a layer f32 is said") {
  ProgramBuilder b;
  const int32_t x = b.conv(b.input("x", {1, 16, 8, 8}), 16, 3, UnaryKind::kSwish);
  b.output(b.conv(b.conv(x, 18, 3), 16, 1));
  std::vector<Shape> shapes;
  for (const Value& value : b.program.values) shapes.push_back(value.shape);
  std::vector<OperatorProfile> rows;
  for (int i = 0; i < 3; ++i) rows.push_back({i, "op" + std::to_string(i), "Conv2d", "", 0, true, 0, 2.0});
  cli::AdviceLimits limits;
  limits.clock = [](const LayerAlone& layer) -> std::optional<double> {
    const auto* conv = std::get_if<Conv2dParams>(&layer.op().params);
    if (conv == nullptr) return 3;  // integers
    if (layer.input(1)->shape[0] == 16 && layer.shapes[0][1] == 16 && zeros(layer) > 0.3) return 1;
    return conv->activation == UnaryKind::kSwish ? 4.5 : 4;
  };
  const cli::FloatReasons reasons = {{"op0", "alone it leaves 3.00 dB"}};
  const auto advice = cli::find_advice(b.program, shapes, rows, {}, reasons, limits).best;
  REQUIRE(advice.size() == 3);
  // 2 ms each: a third, a quarter and a quarter of them; 3.5 of 4.5 parts; half a part of 4.5.
  CHECK(advice[0].rule == "integers");
  CHECK(advice[0].saves_ms == Approx(2.0 / 3 + 0.5 + 0.5));
  CHECK(advice[0].layers.size() == 3);
  CHECK(advice[0].layers[0] == "op0");
  CHECK(advice[0].reason == "it is computed in f32, because alone it leaves 3.00 dB");
  CHECK(advice[0].change.find("training") != std::string::npos);
  CHECK(advice[1].rule == "positions");
  CHECK(advice[1].saves_ms == Approx(2 * 3.5 / 4.5));
  CHECK(advice[1].layers == std::vector<std::string>{"op0"});
  CHECK(advice[2].rule == "activation");
  CHECK(advice[2].saves_ms == Approx(2 * 0.5 / 4.5));
  const auto plain = cli::find_advice(b.program, shapes, rows, {}, {}, limits).best;
  CHECK(plain[0].change.find("--precision int8") != std::string::npos);

  limits.seconds = -1;
  CHECK(cli::find_advice(b.program, shapes, rows, {}, {}, limits).tried == 0);
  limits.seconds = 3;
  limits.clock = [](const LayerAlone&) { return std::nullopt; };
  CHECK(cli::find_advice(b.program, shapes, rows, {}, {}, limits).best.empty());
}
