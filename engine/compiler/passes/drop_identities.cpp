// Removes operators whose result is their input: identity, full slices, zero pads, one-part concats, equal reshapes,
// identity permutations, scales of 1, blocks of 1.
#include <algorithm>
#include <numeric>

#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using graph::Node;

bool all_equal(const auto& values, auto wanted) {
  return std::all_of(values.begin(), values.end(), [wanted](auto v) { return v == wanted; });
}

bool is_full_slice(const format::SliceParams& slice, const Shape& shape) {
  for (size_t i = 0; i < slice.axes.size(); ++i) {
    const int64_t dim = shape[static_cast<size_t>(slice.axes[i])];
    const bool to_end = slice.ends[i] == std::numeric_limits<int64_t>::max() || (dim >= 0 && slice.ends[i] >= dim);
    if (slice.starts[i] != 0 || !to_end || slice.steps[i] != 1) return false;
  }
  return true;
}

bool is_identity(const Node& node) {
  const Shape& in = node.input(0)->shape();
  const bool same_shape = in == node.output()->shape();
  if (const auto* p = node.as<format::UnaryParams>()) return p->kind == format::UnaryKind::kIdentity;
  if (const auto* p = node.as<format::SliceParams>()) return is_full_slice(*p, in);
  if (const auto* p = node.as<format::PadParams>()) return all_equal(p->pads, 0);
  if (const auto* p = node.as<format::ResizeParams>()) {
    return p->scales.empty() ? same_shape && in.is_static() : all_equal(p->scales, 1.0f);
  }
  if (const auto* p = node.as<format::TransposeParams>()) return std::is_sorted(p->perm.begin(), p->perm.end());
  if (const auto* p = node.as<format::DepthToSpaceParams>()) return p->block == 1;
  if (const auto* p = node.as<format::SpaceToDepthParams>()) return p->block == 1;
  if (node.kind() == format::OpKind::kConcat) return node.inputs().size() == 1;
  if (node.kind() == format::OpKind::kReshape) {
    // One dynamic dimension follows from the element count; two could be exchanged.
    return same_shape && std::count(in.dims().begin(), in.dims().end(), kDynamicDim) <= 1;
  }
  return false;
}

}  // namespace

Status drop_identities(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    if (is_identity(*node)) {
      graph.replace_all_uses(node->output(), node->input(0));
      graph.erase(node);
    }
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
