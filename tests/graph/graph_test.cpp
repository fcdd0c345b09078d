#include "graph/graph.h"

#include "catch.h"
#include "graph/text.h"

using namespace coco;
using graph::Graph;

namespace {

constexpr const char* kText = R"(graph {
  input %x: f32[1, 1, ?, ?]
  const %w: f32[4, 1, 1, 1] = [1, 2.5, -3, 4]
  const %b: f32[4] = fill 0.5
  %y: f32[1, 4, ?, ?] = Conv2d(%x, %w, %b) {kernel = [1, 1]} "conv1"
  %"odd name": f32[1, 4, ?, ?] = Unary(%y) {kind = relu}
  %z: f32[1, 1, ?, ?] = DepthToSpace(%"odd name")
  output %z "result"
}
)";

std::string error_of(std::string_view text) {
  auto parsed = graph::parse(text);
  REQUIRE_FALSE(parsed.ok());
  REQUIRE(parsed.error().code == ErrorCode::kInvalidData);
  return parsed.error().message;
}

Graph parsed(std::string_view text) {
  auto result = graph::parse(text);
  if (!result.ok()) FAIL(result.error().message);
  return std::move(result).value();
}

}  // namespace

TEST_CASE("the text form survives printing and parsing") {
  const Graph first = parsed(kText);
  const std::string printed = graph::print(first);
  CAPTURE(printed);
  const Graph second = parsed(printed);
  REQUIRE(graph::print(second) == printed);
  REQUIRE(second.nodes().size() == 3);
  REQUIRE(second.nodes().front().name() == "conv1");
  REQUIRE(second.outputs()[0].name == "result");
  REQUIRE(second.outputs()[0].value->shape() == Shape{1, 1, kDynamicDim, kDynamicDim});
  REQUIRE(printed.find("[1, 2.5, -3, 4]") != std::string::npos);
  REQUIRE(printed.find("fill 0.5") != std::string::npos);
  REQUIRE(graph::verify(second).ok());
}

TEST_CASE("parse errors name line and column") {
  REQUIRE(error_of("graf {").find("line 1, column 1: expected 'graph'") == 0);
  REQUIRE(error_of("graph {\n  input %x: f99[1]\n}").find("line 2, column 13: unknown type 'f99'") == 0);
  REQUIRE(error_of("graph {\n  %y = Unary(%x)\n}").find("line 2, column 14: no value 'x'") == 0);
  REQUIRE(error_of("graph {\n  input %x: f32[1]\n  %y = Sigmoid(%x)\n}").find("line 3, column 8: unknown operator") ==
          0);
  REQUIRE(error_of("graph {\n  input %x: f32[1]\n  %y = Unary(%x) {kind = sine}\n}")
              .find("line 3, column 26: unknown enumerator 'sine'") == 0);
  REQUIRE(error_of("graph {\n  input %x: f32[1]\n  %y = Unary(%x) {knid = relu}\n}")
              .find("line 3, column 19: unknown parameter 'knid'") == 0);
  REQUIRE(error_of("graph {\n  input %x: f32[1]\n  %x = Unary(%x)\n}").find("line 3, column 3: 'x' is defined twice") ==
          0);
  REQUIRE(error_of("graph {\n  input %x: f32[2]\n  %y: f32[3] = Unary(%x)\n}").find("line 3, column 3: 'y' is") == 0);
  REQUIRE(error_of("graph {\n  const %c: f32[2] = [1]\n}").find("line 2, column 22: expected 2 elements, found 1") ==
          0);
  REQUIRE(error_of("graph {\n  input %x: f32[1, 2]\n  input %z: f32[3, 3]\n  %y = Binary(%x, %z)\n}")
              .find("line 4, column 8: ") == 0);
  REQUIRE(error_of("graph {\n").find("line 2, column 1: ") == 0);
  REQUIRE(error_of("graph {\n  const %c: f32[1] = ...\n}").find("line 2, column 22: ") == 0);
}

TEST_CASE("use lists follow replacement, rewriting and erasure") {
  Graph g = parsed(R"(graph {
    input %x: f32[4]
    %a = Unary(%x) {kind = relu}
    %b = Binary(%a, %a)
    output %b
  })");
  graph::Node* relu = g.first();
  graph::Node* add = g.next(relu);
  REQUIRE(g.next(add) == nullptr);
  graph::Value* x = g.inputs()[0];
  REQUIRE(relu->output()->uses().size() == 2);
  REQUIRE(g.use_count(add->output()) == 1);

  g.replace_all_uses(relu->output(), x);
  REQUIRE(x->uses().size() == 3);
  REQUIRE(add->input(0) == x);
  REQUIRE(add->input(1) == x);
  g.erase(relu);
  REQUIRE(x->uses().size() == 2);
  REQUIRE(graph::verify(g).ok());

  REQUIRE(g.rewrite(add, format::UnaryParams{format::UnaryKind::kTanh}, {x}).ok());
  REQUIRE(x->uses().size() == 1);
  auto inserted = g.insert(add, format::UnaryParams{}, {x}, "copy");
  REQUIRE(inserted.ok());
  REQUIRE(g.first() == *inserted);
  REQUIRE(g.rewrite(add, add->params(), {(*inserted)->output()}).ok());
  REQUIRE(graph::verify(g).ok());
  g.replace_all_uses(add->output(), x);
  REQUIRE(g.outputs()[0].value == x);
  g.erase(add);
  REQUIRE(graph::verify(g).ok());
}

TEST_CASE("a graph can be moved") {
  Graph g = parsed(kText);
  const std::string before = graph::print(g);
  Graph moved = std::move(g);
  REQUIRE(graph::print(moved) == before);
  REQUIRE(moved.append(format::UnaryParams{}, {moved.outputs()[0].value}, "tail").ok());
  REQUIRE(graph::verify(moved).ok());
}

TEST_CASE("the verifier sees a value read before it is made") {
  Graph g = parsed(R"(graph {
    input %x: f32[4]
    %a = Unary(%x)
    %b = Unary(%x)
    output %b
  })");
  graph::Node* a = g.first();
  REQUIRE(g.rewrite(a, a->params(), {g.next(a)->output()}).ok());
  const Status status = graph::verify(g);
  REQUIRE_FALSE(status.ok());
  REQUIRE(status.error().code == ErrorCode::kInternal);
  REQUIRE(status.error().message.find("before it is made") != std::string::npos);
}

TEST_CASE("the verifier sees shapes that no longer follow") {
  Graph g = parsed(R"(graph {
    input %x: f32[4]
    input %wide: f32[8]
    %a = Unary(%x)
    %b = Unary(%a)
    output %b
  })");
  graph::Node* a = g.first();
  REQUIRE(g.rewrite(a, a->params(), {g.inputs()[1]}).ok());
  const Status status = graph::verify(g);
  REQUIRE_FALSE(status.ok());
  REQUIRE(status.error().message.find("inference says [8]") != std::string::npos);
}

TEST_CASE("the verifier sees a constant of the wrong size") {
  Graph g;
  const std::vector<float> two{1, 2};
  g.add_output("c", g.add_constant("c", Shape{3}, two));
  REQUIRE(graph::verify(g).error().message.find("does not hold [3] elements") != std::string::npos);
}

TEST_CASE("a node that mixes element types or shapes is refused") {
  Graph g;
  graph::Value* x = g.add_input("x", DataType::kF32, Shape{4});
  graph::Value* n = g.add_input("n", DataType::kS64, Shape{4});
  REQUIRE(g.append(format::BinaryParams{}, {x, n}, "mixed").error().code == ErrorCode::kUnsupported);
  graph::Value* wide = g.add_input("wide", DataType::kF32, Shape{5});
  auto misfit = g.append(format::BinaryParams{}, {x, wide}, "misfit");
  REQUIRE_FALSE(misfit.ok());
  REQUIRE(misfit.error().message.find("misfit") != std::string::npos);
  REQUIRE(g.nodes().empty());
}

TEST_CASE("taken names get a number") {
  Graph g;
  graph::Value* a = g.add_input("x", DataType::kF32, Shape{1});
  graph::Value* b = g.add_input("x", DataType::kF32, Shape{1});
  REQUIRE(a->name() == "x");
  REQUIRE(b->name() != "x");
}
