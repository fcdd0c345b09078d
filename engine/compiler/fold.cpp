#include "compiler/fold.h"

#include <algorithm>

#include "kernels/registry.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

bool has_constant_inputs(const Node& node) {
  return std::all_of(node.inputs().begin(), node.inputs().end(),
                     [](const Value* input) { return input == nullptr || input->is_constant(); });
}

/// Work that is not bounded by the bytes that go in and come out.
bool is_expensive(const Node& node) {
  switch (node.kind()) {
    case format::OpKind::kConv2d:
    case format::OpKind::kConvTranspose2d:
    case format::OpKind::kQuantConv2d:
    case format::OpKind::kMatMul:
    case format::OpKind::kPool2d:
    case format::OpKind::kTopK:
    case format::OpKind::kNonMaxSuppression:
    case format::OpKind::kLstm:
    case format::OpKind::kGru:
      return true;
    default:
      return false;
  }
}

}  // namespace

int64_t result_bytes(const Node& node) {
  int64_t bytes = 0;
  for (const Value* output : node.outputs()) {
    const auto count = output->shape().element_count();
    if (!count) return INT64_MAX;
    bytes += *count * static_cast<int64_t>(byte_size(output->type()));
  }
  return bytes;
}

std::vector<Value*> fold_node(graph::Graph& graph, Node* node, int64_t most_bytes) {
  if (!has_constant_inputs(*node) || is_expensive(*node) || result_bytes(*node) > most_bytes) return {};
  std::vector<TensorView> in;
  for (const Value* value : node->inputs()) {
    in.push_back(value == nullptr ? TensorView{}
                                  : TensorView{value->type(), value->shape(), value->constant().bytes.data()});
  }
  // Kernels see every input of the operator, absent ones without data.
  const format::OpArity arity = format::op_arity(node->kind());
  if (!arity.variadic()) in.resize(std::max(in.size(), arity.total));
  std::vector<std::vector<uint8_t>> results;
  std::vector<MutableTensorView> out;
  for (const Value* value : node->outputs()) {
    const auto count = static_cast<size_t>(value->shape().element_count().value_or(0));
    results.emplace_back(count * byte_size(value->type()));
    out.push_back({value->type(), value->shape(), results.back().data()});
  }
  const kernels::DenseKey key{&node->params(), in, out};
  const auto* kernel = kernels::select_reference<kernels::DenseSlot>(key);
  if (kernel == nullptr) return {};
  kernel->function(node->params(), in, out, 0, kernels::dense_units(key));
  std::vector<Value*> constants;
  for (size_t i = 0; i < results.size(); ++i) {
    const Value* output = node->outputs()[i];
    constants.push_back(graph.add_constant(node->name() + ".folded", output->type(), output->shape(),
                                           format::ConstantData::copy_of(results[i])));
    graph.replace_all_uses(node->outputs()[i], constants.back());
  }
  graph.erase(node);
  return constants;
}

}  // namespace coco::compiler
