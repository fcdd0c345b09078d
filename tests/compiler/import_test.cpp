#include "compiler/onnx/import.h"
#include "catch.h"
#include "compiler/compile_program.h"
#include "compiler/onnx_builder.h"
#include "graph/text.h"

using namespace coco;
using coco::testing::OnnxBuilder;
using coco::testing::set_attribute;

TEST_CASE("a small super-resolution network imports with dynamic height and width") {
  const std::string bytes = coco::testing::small_upscaler().bytes();
  auto graph = compiler::import_onnx(coco::testing::as_bytes(bytes), {});
  INFO(graph.error().message);
  REQUIRE(graph.ok());
  INFO(graph::print(*graph));
  REQUIRE(graph->nodes().size() == 6);
  REQUIRE(graph->outputs()[0].value->shape() == Shape{1, 1, kDynamicDim, kDynamicDim});
  REQUIRE(graph::verify(*graph).ok());

  auto program = compiler::compile_program(coco::testing::as_bytes(bytes), {});
  INFO(program.error().message);
  REQUIRE(program.ok());
  REQUIRE(program->operators.size() == 5);
  REQUIRE(program->card.scale == 2);
}
