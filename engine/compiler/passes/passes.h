// Purpose: the optimising passes and their order. A pass rewrites the graph into an equal one.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "coco/compile.h"
#include "graph/graph.h"

namespace coco::compiler {

struct Pass {
  std::string_view name;
  Status (*run)(graph::Graph&);
};

/// In the order they run.
std::span<const Pass> pass_list();
/// Null when there is no such pass.
const Pass* find_pass(std::string_view name);
/// Runs one pass. `effects`, when not null, receives what it did.
Status run_pass(const Pass& pass, graph::Graph& graph, std::vector<PassEffect>* effects);
/// Runs every pass, and the verifier after each. `effects` receives what each one did.
Status run_passes(graph::Graph& graph, std::vector<PassEffect>* effects = nullptr);

// One file each, of the same name.
Status drop_identities(graph::Graph& graph);
Status recognize_pixel_shuffle(graph::Graph& graph);
Status recognize_steps(graph::Graph& graph);
Status recognize_integers(graph::Graph& graph);
Status fold_constants(graph::Graph& graph);
Status recognize_functions(graph::Graph& graph);
Status recognize_norms(graph::Graph& graph);
Status fold_pad(graph::Graph& graph);
Status fold_affine(graph::Graph& graph);
Status fuse_activations(graph::Graph& graph);
Status remove_dead(graph::Graph& graph);

/// Not in the list: of use to pruned networks that become integer, and run just before that. Dense ones stay as they
/// are.
Status order_channels(graph::Graph& graph);

/// Not in the list: for Precision::kF16. Results change by the rounding.
Status halve_weights(graph::Graph& graph);

}  // namespace coco::compiler
