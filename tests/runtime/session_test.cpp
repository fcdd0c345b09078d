#include "coco/session.h"

#include <thread>

#include "base/thread_pool.h"
#include "runtime/allocation_counter.h"
#include "runtime/program_builder.h"

using namespace coco;
using namespace coco::format;
using coco::testing::ProgramBuilder;
using coco::testing::Tensors;

namespace {

std::shared_ptr<const Model> make_model(ProgramBuilder builder) {
  auto model = Model::from_program(std::move(builder.program));
  if (!model.ok()) FAIL(model.error().message);
  return *model;
}

// Fully convolutional, any size, with a second input of fixed shape that everything is multiplied with.
std::shared_ptr<const Model> two_input_model() {
  ProgramBuilder b;
  const int32_t x = b.input("picture", {1, 2, kDynamicDim, kDynamicDim});
  const int32_t gain = b.input("gain", {1});
  b.output(b.op(BinaryParams{BinaryKind::kMul}, {b.conv(x, 3, 3, UnaryKind::kRelu), gain}));
  return make_model(std::move(b));
}

std::shared_ptr<const Model> integer_model() {
  ProgramBuilder b;
  b.output(b.op(TransposeParams{{1, 0}}, {b.input("bytes", {2, 3}, DataType::kU8)}));
  return make_model(std::move(b));
}

const std::vector<Shape> kShapes = {{1, 2, 5, 7}, {1}};

std::unique_ptr<Session> make_session(const std::shared_ptr<const Model>& model, const std::vector<Shape>& shapes,
                                      const SessionOptions& options = {}) {
  auto session = Session::create(model, shapes, options);
  if (!session.ok()) FAIL(session.error().message);
  return std::move(*session);
}

void require_error(const Error& error, ErrorCode code, const std::vector<std::string>& parts) {
  INFO(error.message);
  REQUIRE(error.code == code);
  for (const std::string& part : parts) REQUIRE(error.message.find(part) != std::string::npos);
}

void require_create_fails(const std::shared_ptr<const Model>& model, const std::vector<Shape>& shapes,
                          const SessionOptions& options, ErrorCode code, const std::vector<std::string>& parts) {
  const auto session = Session::create(model, shapes, options);
  REQUIRE_FALSE(session.ok());
  require_error(session.error(), code, parts);
}

}  // namespace

TEST_CASE("a session has the model's outputs with the planned shapes") {
  const auto session = make_session(two_input_model(), kShapes);
  REQUIRE(session->outputs().size() == 1);
  REQUIRE(session->outputs()[0].shape == Shape{1, 3, 5, 7});
  REQUIRE(session->stats().macs == 5 * 7 * 3 * 2 * 9);
  REQUIRE(session->stats().threads >= 1);
  REQUIRE(session->stats().arena_bytes > 0);
}

TEST_CASE("one model runs at several sizes, in several sessions at once") {
  const auto model = two_input_model();
  const auto compute = [&](int64_t h, int64_t w) {
    const auto session = make_session(model, {{1, 2, h, w}, {1}});
    Tensors in, out;
    in.add({1, 2, h, w}, testing::random_values(2 * h * w, 1));
    in.add({1}, {2.0f});
    out.add_blank({1, 3, h, w});
    std::vector<float> first;
    for (int i = 0; i < 3; ++i) {
      const Status status = session->run(in.views(), out.mutable_views());
      if (!status.ok() || (i > 0 && out.data[0] != first)) return std::vector<float>{};
      first = out.data[0];
    }
    return first;
  };
  const std::vector<float> small = compute(5, 7), large = compute(40, 50);
  REQUIRE(small.size() == 3 * 5 * 7);
  REQUIRE(large.size() == 3 * 40 * 50);
  std::vector<float> again_small, again_large;
  std::thread other([&] { again_small = compute(5, 7); });
  again_large = compute(40, 50);
  other.join();
  REQUIRE(again_small == small);
  REQUIRE(again_large == large);
}

TEST_CASE("integer tensors pass where the model declares them") {
  const auto session = make_session(integer_model(), {{2, 3}});
  const std::array<uint8_t, 6> in{1, 2, 3, 4, 5, 6};
  std::array<uint8_t, 6> out{};
  const TensorView x{DataType::kU8, Shape{2, 3}, in.data()};
  const MutableTensorView y{DataType::kU8, Shape{3, 2}, out.data()};
  REQUIRE(session->run({&x, 1}, {&y, 1}).ok());
  REQUIRE(out == std::array<uint8_t, 6>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("what does not fit the model is refused when planning, by name") {
  const auto model = two_input_model();
  const auto bad = ErrorCode::kInvalidArgument;
  require_create_fails(nullptr, kShapes, {}, bad, {"model"});
  require_create_fails(model, {{1, 2, 5, 7}}, {}, bad, {"2 inputs", "1 given"});
  require_create_fails(model, {{1, 2, 5, 7}, {2}}, {}, bad, {"input 1", "'gain'", "[2]", "[1]"});
  require_create_fails(model, {{1, 2, 5}, {1}}, {}, bad, {"input 0", "'picture'", "[1, 2, 5]"});
  require_create_fails(model, {{1, 4, 5, 7}, {1}}, {}, bad, {"input 0", "'picture'", "[1, 4, 5, 7]"});
  require_create_fails(model, {{1, 2, kDynamicDim, 7}, {1}}, {}, bad, {"'picture'"});
  SessionOptions options;
  options.threads = -1;
  require_create_fails(model, kShapes, options, bad, {"threads"});
}

TEST_CASE("a size the network cannot take names the operator") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {1, 1, kDynamicDim, kDynamicDim});
  Conv2dParams p;
  p.kernel = {5, 5};
  b.output(b.op(p, {x, b.random_constant({1, 1, 5, 5}), kNoValue, kNoValue}));
  b.program.operators[0].name = "wide_window";
  const auto model = make_model(std::move(b));
  require_create_fails(model, {{1, 1, 4, 9}}, {}, ErrorCode::kInvalidArgument, {"wide_window"});
}

TEST_CASE("views that do not fit the plan are refused by run, by name, and nothing is written") {
  const auto session = make_session(two_input_model(), kShapes);
  Tensors in, out;
  in.add(kShapes[0], testing::random_values(70, 1));
  in.add(kShapes[1], {1.0f});
  out.add_blank({1, 3, 5, 7});
  const auto views = in.views();
  const auto results = out.mutable_views();
  const auto require_run_fails = [&](std::vector<TensorView> x, std::vector<MutableTensorView> y,
                                     const std::vector<std::string>& parts) {
    const Status status = session->run(x, y);
    REQUIRE_FALSE(status.ok());
    require_error(status.error(), ErrorCode::kInvalidArgument, parts);
    REQUIRE(out.data[0] == std::vector<float>(105, -99.0f));
  };
  require_run_fails({views[0]}, results, {"2 inputs", "1 given"});
  require_run_fails(views, {}, {"1 outputs", "0 given"});
  auto wrong = views;
  wrong[1].type = DataType::kF16;
  require_run_fails(wrong, results, {"input 1", "'gain'", "f16", "f32"});
  wrong = views;
  wrong[0].shape = Shape{1, 2, 7, 5};
  require_run_fails(wrong, results, {"input 0", "'picture'", "[1, 2, 7, 5]", "[1, 2, 5, 7]"});
  wrong = views;
  wrong[0].data = nullptr;
  require_run_fails(wrong, results, {"input 0", "'picture'", "no data"});
  auto bad_output = results;
  bad_output[0].shape = Shape{1, 3, 5, 8};
  require_run_fails(views, bad_output, {"output 0", "[1, 3, 5, 8]"});
  REQUIRE(session->run(views, results).ok());
}

TEST_CASE("auto runs local networks line by line and others layer by layer") {
  ProgramBuilder local, global;
  const Shape dynamic{1, 3, kDynamicDim, kDynamicDim};
  const int32_t x = local.input("x", dynamic);
  local.output(local.op(BinaryParams{BinaryKind::kAdd}, {local.conv(local.conv(x, 8, 3, UnaryKind::kRelu), 3, 5), x}));
  const int32_t y = global.input("y", dynamic);
  global.output(global.op(TransposeParams{{0, 1, 3, 2}}, {global.conv(y, 3, 3)}));
  const auto local_model = make_model(std::move(local)), global_model = make_model(std::move(global));
  const std::vector<Shape> shapes = {{1, 3, 37, 50}};
  SessionOptions layer, line;
  layer.executor = ExecutorKind::kLayer, line.executor = ExecutorKind::kLine;
  layer.reference_kernels = true;
  REQUIRE(make_session(local_model, shapes)->stats().executor == "line");
  REQUIRE(make_session(global_model, shapes)->stats().executor == "layer");
  require_create_fails(global_model, shapes, line, ErrorCode::kUnsupported, {"op1", "Transpose"});

  Tensors in, by_line, by_layer;
  in.add(shapes[0], testing::random_values(3 * 37 * 50, 5));
  by_line.add_blank(shapes[0]);
  by_layer.add_blank(shapes[0]);
  const auto line_session = make_session(local_model, shapes, line),
             layer_session = make_session(local_model, shapes, layer);
  REQUIRE(layer_session->stats().executor == "layer");
  REQUIRE(layer_session->stats().macs == line_session->stats().macs);
  REQUIRE(line_session->run(in.views(), by_line.mutable_views()).ok());
  REQUIRE(layer_session->run(in.views(), by_layer.mutable_views()).ok());
  for (size_t i = 0; i < by_line.data[0].size(); ++i) {
    const float wanted = by_layer.data[0][i];
    REQUIRE(std::abs(by_line.data[0][i] - wanted) <= 1e-4f * std::max(1.0f, std::abs(wanted)));
  }
}

TEST_CASE("networks that line execution would repeat too often, or too deep, run layer by layer") {
  ProgramBuilder hourglass, chain;
  int32_t x = hourglass.input("x", {1, 48, kDynamicDim, kDynamicDim});
  Conv2dParams down;
  down.kernel = {3, 3}, down.stride = {2, 2}, down.pads = {1, 1, 1, 1};
  for (int i = 0; i < 4; ++i) {
    x = hourglass.op(down, {x, hourglass.random_constant({48, 48, 3, 3}), kNoValue, kNoValue});
  }
  for (int i = 0; i < 6; ++i) x = hourglass.conv(x, 48, 3);
  ResizeParams up;
  up.scales = {1, 1, 16, 16};
  hourglass.output(hourglass.op(up, {x}));
  int32_t y = chain.input("y", {1, 1, 4, 4});
  for (int i = 0; i < 5000; ++i) y = chain.op(UnaryParams{UnaryKind::kLeakyRelu, 0.999f, 0}, {y});
  chain.output(y);
  const auto deep = make_model(std::move(chain)), wide = make_model(std::move(hourglass));
  REQUIRE(make_session(deep, {{1, 1, 4, 4}})->stats().executor == "layer");
  REQUIRE(make_session(wide, {{1, 48, 512, 2048}})->stats().executor == "layer");
}

TEST_CASE("run allocates nothing, whatever the executor") {
  ProgramBuilder b;
  b.output(b.conv(b.conv(b.input("x", {1, 1, kDynamicDim, kDynamicDim}), 8, 3, UnaryKind::kRelu), 4, 3));
  const auto model = make_model(std::move(b));
  for (const auto executor : {ExecutorKind::kAuto, ExecutorKind::kLayer}) {
    SessionOptions options;
    options.executor = executor;
    const auto session = make_session(model, {{1, 1, 33, 65}}, options);
    Tensors in, out;
    in.add({1, 1, 33, 65}, testing::random_values(33 * 65, 1));
    out.add_blank({1, 4, 33, 65});
    const auto views = in.views();
    const auto results = out.mutable_views();
    REQUIRE(session->run(views, results).ok());
    const size_t before = testing::allocation_count();
    const bool ok = session->run(views, results).ok();
    const size_t after = testing::allocation_count();
    REQUIRE(ok);
    REQUIRE(after == before);
  }
}

TEST_CASE("a profile names every operator, its kernel and its time, and changes no result") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {1, 4, 12, 16});
  const int32_t first = b.conv(b.conv(x, 8, 3, UnaryKind::kRelu), 4, 1);
  const int32_t turned = b.op(TransposeParams{{0, 1, 3, 2}}, {first});
  b.output(b.op(UnaryParams{UnaryKind::kSigmoid}, {turned}));
  const auto model = make_model(std::move(b));
  Tensors in, plain, profiled;
  in.add({1, 4, 12, 16}, testing::random_values(4 * 12 * 16, 3));
  plain.add_blank({1, 4, 16, 12});
  profiled.add_blank({1, 4, 16, 12});
  const auto session = make_session(model, {{1, 4, 12, 16}});
  REQUIRE(session->run(in.views(), plain.mutable_views()).ok());
  REQUIRE(session->profile().empty());

  SessionOptions options;
  options.profile = true;
  const auto timed = make_session(model, {{1, 4, 12, 16}}, options);
  const auto view = in.views();
  const auto out = profiled.mutable_views();
  REQUIRE(timed->run(view, out).ok());
  const std::vector<OperatorProfile> once = timed->profile();
  const size_t before = testing::allocation_count();
  const bool ran = timed->run(view, out).ok();
  const size_t after = testing::allocation_count();
  REQUIRE(ran);
  REQUIRE(after == before);
  REQUIRE(profiled.data == plain.data);

  const std::vector<OperatorProfile> twice = timed->profile();
  REQUIRE(twice.size() == once.size());
  std::vector<std::string> operators;
  int64_t macs = 0;
  double more = 0;
  for (size_t i = 0; i < twice.size(); ++i) {
    REQUIRE(twice[i].ms >= once[i].ms);
    more += twice[i].ms - once[i].ms;
    macs += twice[i].macs;
    if (twice[i].index < 0) {
      REQUIRE((twice[i].op == "load" || twice[i].op == "store" || twice[i].op == "wait"));
      continue;
    }
    REQUIRE(twice[i].name == model->program().operators[static_cast<size_t>(twice[i].index)].name);
    REQUIRE_FALSE(twice[i].kernel.empty());
    operators.push_back(std::to_string(twice[i].step) + twice[i].op + (twice[i].row_by_row ? "*" : ""));
  }
  REQUIRE(operators == std::vector<std::string>{"0Conv2d*", "0Conv2d*", "1Transpose", "2Unary*"});
  REQUIRE(more > 0);
  REQUIRE(macs == timed->stats().macs);
}
