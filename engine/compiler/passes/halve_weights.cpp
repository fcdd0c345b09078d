// Rounds the weights of f32 convolutions to the nearest f16 values; the file then holds them in half the bytes. A
// convolution with a weight beyond f16's range stays as it is.
#include <cmath>

#include "base/half.h"
#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

Status halve(graph::Graph& graph, graph::Node* conv) {
  const graph::Value* weight = conv->input(1);
  std::vector<float> rounded;
  for (const float value : weight->floats()) {
    rounded.push_back(half_to_float(float_to_half(value)));
    if (!std::isfinite(rounded.back())) return {};
  }
  std::vector<graph::Value*> inputs = conv->inputs();
  inputs[1] = graph.add_constant(weight->name() + ".f16", weight->shape(), rounded);
  return graph.rewrite(conv, conv->params(), std::move(inputs));
}

}  // namespace

Status halve_weights(graph::Graph& graph) {
  for (graph::Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    const bool convolution =
        node->kind() == format::OpKind::kConv2d || node->kind() == format::OpKind::kConvTranspose2d;
    if (convolution && node->input(1)->is_constant()) COCO_TRY(halve(graph, node));
  }
  graph.erase_unused_constants();
  return {};
}

}  // namespace coco::compiler
