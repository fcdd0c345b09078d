// Zero padding of height and width becomes the padding of the convolution that reads it.
#include <algorithm>

#include "compiler/passes/passes.h"

namespace coco::compiler {

Status fold_pad(graph::Graph& graph) {
  for (graph::Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    const auto* conv = node->as<format::Conv2dParams>();
    graph::Node* producer = conv != nullptr ? node->input(0)->producer() : nullptr;
    const auto* pad = producer != nullptr ? producer->as<format::PadParams>() : nullptr;
    if (pad == nullptr || pad->mode != format::PadMode::kConstant || pad->value != 0 || pad->pads.size() != 8) continue;
    const auto& p = pad->pads;  // n, c, h, w before; n, c, h, w after
    const bool spatial = p[0] == 0 && p[1] == 0 && p[4] == 0 && p[5] == 0;
    if (!spatial || *std::min_element(p.begin(), p.end()) < 0) continue;
    format::Conv2dParams params = *conv;
    params.pads[0] += p[2];
    params.pads[1] += p[3];
    params.pads[2] += p[6];
    params.pads[3] += p[7];
    std::vector<graph::Value*> inputs = node->inputs();
    inputs[0] = producer->input(0);
    COCO_TRY(graph.rewrite(node, params, std::move(inputs)));
    if (graph.use_count(producer->output()) == 0) graph.erase(producer);
  }
  return {};
}

}  // namespace coco::compiler
