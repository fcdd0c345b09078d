#include "compiler/passes/passes.h"

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

Status run_passes(graph::Graph& graph) {
  for (const Pass& pass : kPasses) {
    COCO_TRY(pass.run(graph));
    const Status sound = graph::verify(graph);
    if (!sound.ok()) {
      return make_error(ErrorCode::kInternal, "after pass " + std::string(pass.name) + ": " + sound.error().message);
    }
  }
  return {};
}

}  // namespace coco::compiler
