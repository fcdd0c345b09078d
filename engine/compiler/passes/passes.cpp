#include "compiler/passes/passes.h"

#include "compiler/trace.h"

namespace coco::compiler {
namespace {

constexpr Pass kPasses[] = {
    {"recognize_pixel_shuffle", recognize_pixel_shuffle},
    {"drop_identities", drop_identities},
    {"recognize_steps", recognize_steps},
    {"recognize_integers", recognize_integers},
    {"fold_constants", fold_constants},
    {"recognize_functions", recognize_functions},
    {"recognize_norms", recognize_norms},
    {"fold_pad", fold_pad},
    {"fold_affine", fold_affine},
    {"fuse_activations", fuse_activations},
    {"remove_dead", remove_dead},
};

}  // namespace

std::span<const Pass> pass_list() { return kPasses; }

const Pass* find_pass(std::string_view name) {
  for (const Pass& pass : kPasses) {
    if (pass.name == name) return &pass;
  }
  return nullptr;
}

Status run_pass(const Pass& pass, graph::Graph& graph, std::vector<PassEffect>* effects) {
  if (effects == nullptr) return pass.run(graph);
  const GraphSnapshot before(graph);
  COCO_TRY(pass.run(graph));
  effects->push_back(before.compare(pass.name, graph));
  return {};
}

Status run_passes(graph::Graph& graph, std::vector<PassEffect>* effects) {
  for (const Pass& pass : kPasses) {
    COCO_TRY(run_pass(pass, graph, effects));
    const Status sound = graph::verify(graph);
    if (!sound.ok()) {
      return make_error(ErrorCode::kInternal, "after pass " + std::string(pass.name) + ": " + sound.error().message);
    }
  }
  return {};
}

}  // namespace coco::compiler
