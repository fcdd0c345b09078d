// Purpose: the graph's text form, printed and parsed, for people and for before/after tests of passes.
//
//   graph {
//     input %x: f32[1, 1, ?, ?]
//     const %w: f32[4, 1, 1, 1] = [1, 2, 3, 4]
//     const %b: f32[4] = fill 0.5
//     %y = Conv2d(%x, %w, %b) {kernel = [1, 1], group = 1} "conv1"     # a comment
//     %z: f32[1, 4, ?, ?] = Unary(%y) {kind = relu} "act"
//     output %z "result"
//   }
//
// Parameters that have their default value may be left out, `_` is an absent input, a result's type may be left out
// (it is inferred), a node's name is the result's when left out. Names with other characters than letters, digits and
// "_./:-" are quoted: %"a name".
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace coco::graph {

/// A constant with more elements than `max_elements` that are not all equal is printed as "...", which does not parse.
std::string print(const Graph& graph, size_t max_elements = 1 << 20);
/// Errors are kInvalidData and begin with "line L, column C: ".
Result<Graph> parse(std::string_view text);

}  // namespace coco::graph
