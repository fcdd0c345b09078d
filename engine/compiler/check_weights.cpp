#include "compiler/check_weights.h"

#include <algorithm>
#include <cmath>

namespace coco::compiler {

bool all_finite(const graph::Value* value) {
  if (value == nullptr) return true;
  const auto data = value->floats();
  return std::all_of(data.begin(), data.end(), [](float v) { return std::isfinite(v); });
}

Status check_weights(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    if (node.kind() != format::OpKind::kConv2d && node.kind() != format::OpKind::kConvTranspose2d) continue;
    for (size_t slot = 1; slot < node.inputs().size(); ++slot) {
      const graph::Value* value = node.input(slot);
      if (value == nullptr || !value->is_constant() || value->type() != DataType::kF32 || all_finite(value)) continue;
      return make_error(ErrorCode::kInvalidData, "convolution '" + node.name() + "': its weights '" + value->name() +
                                                     "' hold NaN or infinity; train or export the model again");
    }
  }
  return {};
}

}  // namespace coco::compiler
