#include "runtime/layer_executor.h"

#include <map>

#include "kernels/registry.h"
#include "runtime/allocation_counter.h"
#include "runtime/program_builder.h"

using namespace coco;
using namespace coco::format;
using coco::runtime::LayerExecutor;
using coco::testing::ProgramBuilder;
using coco::testing::resolve;
using coco::testing::Tensors;

namespace {

// Every operator once, through skips, a second picture in the batch and a tensor that two operators read.
ProgramBuilder make_network(int64_t n, int64_t h, int64_t w) {
  ProgramBuilder b;
  const int32_t x = b.input("x", {n, 3, h, w});
  const int32_t a = b.conv(x, 8, 3, UnaryKind::kLeakyRelu);
  const int32_t c = b.op(PreluParams{}, {b.conv(a, 8, 5), b.random_constant({8, 1, 1})});
  const int32_t sum = b.op(BinaryParams{BinaryKind::kAdd}, {a, c});
  const int32_t joined = b.op(ConcatParams{1}, {sum, a, b.op(UnaryParams{UnaryKind::kSigmoid, 0, 0}, {c})});
  ConvTranspose2dParams up;
  up.kernel = {4, 4}, up.stride = {2, 2}, up.pads = {1, 1, 1, 1};
  const int32_t grown = b.op(up, {joined, b.random_constant({24, 4, 4, 4}), kNoValue});
  ResizeParams resize;
  resize.mode = ResizeMode::kCubic, resize.scales = {1, 1, 2, 2};
  const int32_t base = b.op(resize, {x});
  const int32_t deep = b.op(DepthToSpaceParams{2, DepthToSpaceMode::kCrd}, {b.conv(joined, 16, 1)});
  const int32_t mixed = b.op(BinaryParams{BinaryKind::kMul}, {grown, deep});
  const int32_t padded = b.op(PadParams{PadMode::kReflect, {0, 0, 1, 0, 0, 0, 1, 2}, 0}, {mixed});
  const int32_t cut = b.op(SliceParams{{2, 3}, {1, -3}, {-1, -1000}, {1, -1}}, {padded});
  const int32_t last = b.op(BinaryParams{BinaryKind::kAdd}, {b.conv(cut, 3, 3), base});
  const int32_t shallow = b.op(SpaceToDepthParams{2}, {last});
  b.output(b.op(TransposeParams{{0, 2, 3, 1}}, {shallow}));
  b.output(b.op(ReshapeParams{{n, -1}, false}, {last}));
  return b;
}

// Operator by operator with the reference kernels, a fresh buffer for each value.
std::vector<std::vector<uint8_t>> run_plainly(const Program& program, const std::vector<Shape>& shapes,
                                              const Tensors& inputs) {
  std::map<int32_t, std::vector<uint8_t>> memory;
  const auto allocate = [&](int32_t v) {
    memory[v].resize(static_cast<size_t>(shapes[v].element_count().value()) * byte_size(program.values[v].type));
  };
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    allocate(program.inputs[i]);
    std::memcpy(memory[program.inputs[i]].data(), inputs.data[i].data(), memory[program.inputs[i]].size());
  }
  for (const Operator& op : program.operators) {
    std::vector<TensorView> in;
    for (const int32_t v : op.inputs) {
      if (v == kNoValue) {
        in.emplace_back();
      } else {
        const Value& value = program.values[v];
        const void* data = value.is_constant() ? value.constant.bytes.data() : memory[v].data();
        in.push_back({value.type, shapes[v], data});
      }
    }
    const int32_t result = op.outputs[0];
    allocate(result);
    const MutableTensorView out{program.values[result].type, shapes[result], memory[result].data()};
    const kernels::DenseKey key{&op.params, in, {&out, 1}};
    kernels::select_reference<kernels::DenseSlot>(key)->function(op.params, in, {&out, 1}, 0,
                                                                 kernels::dense_rows(shapes[result]));
  }
  std::vector<std::vector<uint8_t>> results;
  for (const int32_t v : program.outputs) results.push_back(memory[v]);
  return results;
}

Tensors random_inputs(const Program& program, unsigned seed) {
  Tensors inputs;
  for (const int32_t v : program.inputs) {
    const Shape& shape = program.values[v].shape;
    inputs.add(shape, testing::random_values(shape.element_count().value(), seed++));
  }
  return inputs;
}

Tensors blank_outputs(const Program& program, const std::vector<Shape>& shapes) {
  Tensors outputs;
  for (const int32_t v : program.outputs) outputs.add_blank(shapes[v]);
  return outputs;
}

void require_same(const Tensors& outputs, const std::vector<std::vector<uint8_t>>& wanted) {
  REQUIRE(outputs.data.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    REQUIRE(outputs.data[i].size() * sizeof(float) == wanted[i].size());
    INFO("output " << i);
    REQUIRE(std::memcmp(outputs.data[i].data(), wanted[i].data(), wanted[i].size()) == 0);
  }
}

std::unique_ptr<LayerExecutor> make_executor(const Program& program, const std::vector<Shape>& shapes, int threads,
                                             bool reference = true) {
  SessionOptions options;
  options.threads = threads;
  options.reference_kernels = reference;
  auto executor = LayerExecutor::create(program, shapes, options);
  if (!executor.ok()) FAIL(executor.error().message);
  return std::move(*executor);
}

}  // namespace

TEST_CASE("the layer executor equals its operators run one by one, on any number of threads") {
  for (const auto& [n, h, w] : std::vector<std::array<int64_t, 3>>{{1, 2, 3}, {2, 17, 33}, {1, 48, 31}}) {
    const Program program = make_network(n, h, w).program;
    const std::vector<Shape> shapes = resolve(program);
    for (const int threads : {1, 2, 4}) {
      INFO(n << "x" << h << "x" << w << ", " << threads << " threads");
      const auto executor = make_executor(program, shapes, threads);
      for (const unsigned seed : {1u, 2u, 1u}) {  // again with other buffers and other values
        const Tensors inputs = random_inputs(program, seed);
        Tensors outputs = blank_outputs(program, shapes);
        executor->run(inputs.views(), outputs.mutable_views());
        require_same(outputs, run_plainly(program, shapes, inputs));
      }
    }
  }
}

TEST_CASE("line segments in the layer executor change nothing but the speed") {
  for (const auto& [n, h, w] : std::vector<std::array<int64_t, 3>>{{1, 2, 3}, {3, 17, 33}, {1, 48, 31}}) {
    const Program program = make_network(n, h, w).program;
    const std::vector<Shape> shapes = resolve(program);
    const Tensors inputs = random_inputs(program, 3);
    Tensors wanted = blank_outputs(program, shapes), first;
    make_executor(program, shapes, 1)->run(inputs.views(), wanted.mutable_views());
    for (const int threads : {1, 2, 4}) {
      INFO(n << "x" << h << "x" << w << ", " << threads << " threads");
      const auto executor = make_executor(program, shapes, threads, false);
      REQUIRE(executor->steps() < program.operators.size());
      Tensors outputs = blank_outputs(program, shapes);
      executor->run(inputs.views(), outputs.mutable_views());
      if (first.data.empty()) first = outputs;
      for (size_t i = 0; i < outputs.data.size(); ++i) {
        REQUIRE((outputs.data[i] == first.data[i]));  // parenthesised: too long to print
        float peak = 0, worst = 0;
        for (size_t k = 0; k < outputs.data[i].size(); ++k) {
          peak = std::max(peak, std::abs(wanted.data[i][k]));
          worst = std::max(worst, std::abs(outputs.data[i][k] - wanted.data[i][k]));
        }
        REQUIRE(worst <= 1e-5f * peak);
      }
    }
  }
}

// Everything that must not be taken for work on separate pictures.
TEST_CASE("operators across the pictures of a batch stay whole-tensor") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {2, 3, 8, 9});
  const int32_t a = b.op(UnaryParams{UnaryKind::kRelu, 0, 0}, {x});
  const int32_t reversed = b.op(SliceParams{{0}, {-1}, {-9}, {-1}}, {a});
  const int32_t shifted = b.op(PadParams{PadMode::kConstant, {1, 0, 0, 0, -1, 0, 0, 0}, 5}, {reversed});
  const int32_t gained = b.op(BinaryParams{BinaryKind::kMul}, {shifted, b.random_constant({2, 3, 1, 1})});
  const int32_t sloped = b.op(PreluParams{}, {gained, b.random_constant({2, 1, 1, 1})});
  const int32_t one = b.op(SliceParams{{0}, {0}, {1}, {1}}, {sloped});
  const int32_t mixed = b.op(BinaryParams{BinaryKind::kAdd}, {sloped, one});
  b.output(b.op(ConcatParams{0}, {mixed, one}));
  const std::vector<Shape> shapes = resolve(b.program);
  const Tensors inputs = random_inputs(b.program, 1);
  Tensors outputs = blank_outputs(b.program, shapes);
  make_executor(b.program, shapes, 2, false)->run(inputs.views(), outputs.mutable_views());
  require_same(outputs, run_plainly(b.program, shapes, inputs));
}

TEST_CASE("the arena is much smaller than the tensors it holds") {
  ProgramBuilder b;
  int32_t x = b.input("x", {1, 8, 32, 32});
  for (int i = 0; i < 20; ++i) x = b.conv(x, 8, 3, UnaryKind::kRelu);
  b.output(x);
  const std::vector<Shape> shapes = resolve(b.program);
  const auto executor = make_executor(b.program, shapes, 1);
  const size_t tensor = 8 * 32 * 32 * sizeof(float);
  REQUIRE(executor->arena_bytes() == 2 * tensor);  // of 19 tensors between input and output
}

TEST_CASE("a program output may be read by later operators") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {4});
  const int32_t first = b.op(UnaryParams{UnaryKind::kRelu, 0, 0}, {x});
  const int32_t second = b.op(BinaryParams{BinaryKind::kSub}, {first, x});
  b.output(second);
  b.output(first);
  const std::vector<Shape> shapes = resolve(b.program);
  Tensors inputs, outputs = blank_outputs(b.program, shapes);
  inputs.add({4}, {-1, 2, -3, 4});
  make_executor(b.program, shapes, 2)->run(inputs.views(), outputs.mutable_views());
  REQUIRE(outputs.data[0] == std::vector<float>{1, 0, 3, 0});
  REQUIRE(outputs.data[1] == std::vector<float>{0, 2, 0, 4});
}

TEST_CASE("outputs that no operator computes are copied, unused results do no harm") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {2, 2});
  const int32_t c = b.constant({3}, {7, 8, 9});
  b.op(UnaryParams{UnaryKind::kTanh, 0, 0}, {x});
  b.output(x);
  b.output(c);
  b.output(x);
  const std::vector<Shape> shapes = resolve(b.program);
  Tensors inputs, outputs = blank_outputs(b.program, shapes);
  inputs.add({2, 2}, {1, 2, 3, 4});
  make_executor(b.program, shapes, 1)->run(inputs.views(), outputs.mutable_views());
  REQUIRE(outputs.data[0] == inputs.data[0]);
  REQUIRE(outputs.data[1] == std::vector<float>{7, 8, 9});
  REQUIRE(outputs.data[2] == inputs.data[0]);
}

TEST_CASE("tensors without elements run") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {1, 2, 0, 5});
  const int32_t y = b.op(UnaryParams{UnaryKind::kRelu, 0, 0}, {x});
  b.output(b.op(ConcatParams{1}, {y, x}));
  const std::vector<Shape> shapes = resolve(b.program);
  Tensors inputs = random_inputs(b.program, 1), outputs = blank_outputs(b.program, shapes);
  make_executor(b.program, shapes, 1)->run(inputs.views(), outputs.mutable_views());
  REQUIRE(outputs.data[0].empty());
}

TEST_CASE("run allocates nothing") {
  const Program program = make_network(1, 33, 40).program;
  const std::vector<Shape> shapes = resolve(program);
  for (const bool reference : {true, false}) {
    const auto executor = make_executor(program, shapes, 0, reference);
    const Tensors inputs = random_inputs(program, 1);
    Tensors outputs = blank_outputs(program, shapes);
    const auto in = inputs.views();
    const auto out = outputs.mutable_views();
    const size_t before = testing::allocation_count();
    executor->run(in, out);
    executor->run(in, out);
    const size_t after = testing::allocation_count();
    REQUIRE(before > 0);
    REQUIRE(after == before);
  }
}

TEST_CASE("an operator without a kernel is named") {
  ProgramBuilder b;
  const int32_t x = b.input("x", {4}, DataType::kF16);
  b.output(b.op(BinaryParams{BinaryKind::kMul}, {x, x}));
  b.program.operators[0].name = "scale_by_itself";
  const auto executor = LayerExecutor::create(b.program, resolve(b.program), {});
  REQUIRE_FALSE(executor.ok());
  REQUIRE(executor.error().code == ErrorCode::kUnsupported);
  for (const char* part : {"scale_by_itself", "Binary", "f16[4]"}) {
    INFO(executor.error().message);
    REQUIRE(executor.error().message.find(part) != std::string::npos);
  }
}

TEST_CASE("a plan beyond the machine's memory fails instead of ending the process") {
  ProgramBuilder b;
  int32_t x = b.input("x", {1, 1, 2, 2});
  ResizeParams grow;
  grow.sizes = {1, 2, 1 << 15, 1 << 15};
  x = b.op(grow, {x});
  std::vector<int32_t> kept;
  for (int i = 0; i < 4000; ++i) kept.push_back(b.op(UnaryParams{}, {x}));
  ResizeParams shrink;
  shrink.sizes = {1, 1, 1, 1};
  for (const int32_t v : kept) b.output(b.op(shrink, {v}));
  SessionOptions options;
  options.reference_kernels = true;
  const auto executor = LayerExecutor::create(b.program, resolve(b.program), options);
  REQUIRE_FALSE(executor.ok());
  REQUIRE(executor.error().code == ErrorCode::kResourceLimit);
}
