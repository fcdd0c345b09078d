// Reshape, Transpose, Reshape that spell a pixel shuffle become DepthToSpace or SpaceToDepth.
#include "compiler/passes/passes.h"
#include "compiler/shuffle_pattern.h"

namespace coco::compiler {
namespace {

using graph::Node;

/// The producer of the node's first input, when it is of that kind and has no other reader.
Node* sole_producer(const graph::Graph& graph, const Node* node, format::OpKind kind) {
  Node* producer = node->input(0)->producer();
  if (producer == nullptr || producer->kind() != kind || graph.use_count(producer->output()) != 1) return nullptr;
  return producer;
}

}  // namespace

Status recognize_pixel_shuffle(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    if (node->kind() != format::OpKind::kReshape) continue;
    Node* transpose = sole_producer(graph, node, format::OpKind::kTranspose);
    Node* first = transpose != nullptr ? sole_producer(graph, transpose, format::OpKind::kReshape) : nullptr;
    if (first == nullptr || !first->input(0)->shape().is_static()) continue;
    graph::Value* x = first->input(0);
    format::OpParams params = match_shuffle(x->shape(), first->output()->shape(),
                                            transpose->as<format::TransposeParams>()->perm, node->output()->shape());
    if (params.index() == 0) continue;
    COCO_TRY(graph.rewrite(node, std::move(params), {x}));
    graph.erase(transpose);
    graph.erase(first);
  }
  return {};
}

}  // namespace coco::compiler
