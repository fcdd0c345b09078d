#include "tune/onnx_export.h"

#include "coco/session.h"
#include "compiler/emit.h"
#include "compiler/onnx/export.h"
#include "tune/evaluate.h"

namespace coco::tune {

Result<std::string> to_onnx(graph::Graph graph, const std::string& name) {
  ModelCard card;
  card.name = name;
  COCO_ASSIGN(const format::Program program, compiler::emit(std::move(graph), card));
  return compiler::export_onnx(program);
}

Status check_runs(const std::string& onnx) {
  COCO_ASSIGN(const auto model, compile_model(onnx));
  const int64_t side = 24 * pairs_for(*model).multiple;
  std::vector<Shape> shapes;
  for (const TensorInfo& input : model->inputs()) {
    Shape shape = input.shape;
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (shape[i] == kDynamicDim) shape[i] = i < 2 ? 1 : side;
    }
    shapes.push_back(std::move(shape));
  }
  COCO_TRY(Session::create(model, shapes, {}));
  return {};
}

}  // namespace coco::tune
