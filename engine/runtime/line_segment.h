// Purpose: operators in a row that work row by row, run depth-first as one step of the layer executor, picture after
// picture of the batch.
#pragma once

#include <span>
#include <vector>

#include "coco/session.h"
#include "format/program.h"
#include "kernels/registry.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

/// Cuts line segments out of a program. Borrows the program and the shapes (resolved, one per value); the segments it
/// makes do not.
class LineSegmenter {
 public:
  LineSegmenter(const format::Program& program, std::span<const Shape> shapes, const SessionOptions& options);

  /// A step for as many operators from `begin` on as work row by row without computing much twice. Its `step` is null
  /// when the first one does not.
  LayerStepSpec cut(size_t begin);

 private:
  bool works_by_row(size_t op, int64_t batch) const;
  bool make_step(LayerStepSpec& spec, int64_t batch);

  const format::Program& program_;
  std::span<const Shape> shapes_;
  const SessionOptions& options_;
  kernels::Capabilities capabilities_;
  std::vector<Shape> picture_shapes_;  // shapes_ for one picture of the batch
  std::vector<size_t> last_use_;       // per value: the last operator that reads it; past the end for outputs
  format::Program part_;               // the values of program_, and the operators of the segment at hand
};

}  // namespace coco::runtime
