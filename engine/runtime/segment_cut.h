// Purpose: what cutting segments out of a program needs: who reads a value last, what goes into and comes out of a
// range of operators.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "format/program.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

/// Per value the last operator that reads it; one past the last operator for results of the program.
inline std::vector<size_t> last_uses(const format::Program& program) {
  std::vector<size_t> last(program.values.size(), 0);
  for (size_t i = 0; i < program.operators.size(); ++i) {
    for (const int32_t v : program.operators[i].inputs) {
      if (v != format::kNoValue) last[v] = i;
    }
  }
  for (const int32_t v : program.outputs) last[v] = program.operators.size();
  return last;
}

/// The shapes of a program's values for one picture of the batch.
inline std::vector<Shape> picture_shapes(const format::Program& program, std::span<const Shape> shapes) {
  std::vector<Shape> pictures(shapes.begin(), shapes.end());
  for (size_t v = 0; v < shapes.size(); ++v) {
    if (shapes[v].rank() == 4 && !program.values[v].is_constant()) pictures[v][0] = 1;
  }
  return pictures;
}

/// Operators [begin, end), each with one result: computed values they read from outside, results read outside.
inline LayerStepSpec make_segment_spec(const format::Program& program, size_t begin, size_t end,
                                       std::span<const size_t> last_use) {
  LayerStepSpec spec{begin, end, {}, {}, nullptr};
  std::vector<int32_t> made;
  for (size_t i = begin; i < end; ++i) {
    for (const int32_t v : program.operators[i].inputs) {
      if (v == format::kNoValue || program.values[v].is_constant()) continue;
      const bool known = std::find(made.begin(), made.end(), v) != made.end() ||
                         std::find(spec.inputs.begin(), spec.inputs.end(), v) != spec.inputs.end();
      if (!known) spec.inputs.push_back(v);
    }
    made.push_back(program.operators[i].outputs[0]);
  }
  for (const int32_t v : made) {
    if (last_use[v] >= end) spec.outputs.push_back(v);
  }
  return spec;
}

}  // namespace coco::runtime
