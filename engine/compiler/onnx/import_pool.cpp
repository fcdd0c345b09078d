// MaxPool, AveragePool, LpPool over one or two dimensions.
#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/window.h"

namespace coco::compiler {

using graph::Value;

Status import_pool(NodeContext& node) {
  const std::string& op = node.proto().op_type();
  if (node.output_count() > 1 && !node.proto().output(1).empty()) {
    return node.unsupported("output 'Indices', which only MaxUnpool reads");
  }
  COCO_ASSIGN(const Value* original, node.any(0));
  COCO_ASSIGN(Value * x, node.converted(0, DataType::kF32));
  if (x->shape().rank() < 3) return node.invalid("input " + x->shape().to_string() + " has no pixels");
  COCO_ASSIGN(Window window, read_window(node, x->shape().rank() - 2));
  COCO_TRY(resolve_same(node, x, window));
  format::Pool2dParams params;
  params.kind = op == "MaxPool"  ? format::PoolKind::kMax
                : op == "LpPool" ? format::PoolKind::kLp
                                 : format::PoolKind::kAverage;
  params.kernel = window.kernel;
  params.stride = window.stride;
  params.dilation = window.dilation;
  params.pads = window.pads;
  params.ceil_mode = node.get_int("ceil_mode", 0) != 0;
  params.count_padding = node.get_int("count_include_pad", 0) != 0;
  params.p = node.get_int("p", 2);
  if (window.one_dimensional) {
    COCO_ASSIGN(x, with_height(node, x, "x"));
    return finish_without_height(node, params, {x});
  }
  COCO_ASSIGN(Value * result, node.add(params, {x}));
  if (original->type() != DataType::kF32) {
    COCO_ASSIGN(result, node.add(format::CastParams{original->type()}, {result}));
  }
  node.set_output(0, result);
  return {};
}

}  // namespace coco::compiler
