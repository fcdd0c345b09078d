// Purpose: operators in a row that work in blocks of channels (kernels/block), run one after the other as one step of
// the layer executor. Between them pictures stay in blocks; what a convolution's result is added to, and the activation
// behind that, are part of the convolution.
#pragma once

#include <span>
#include <vector>

#include "backends/cpu/block_op.h"
#include "coco/session.h"
#include "format/program.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

/// Cuts block segments out of a program. Borrows the program and the shapes (resolved, one per value); so do the
/// segments it makes.
class BlockSegmenter {
 public:
  BlockSegmenter(const format::Program& program, std::span<const Shape> shapes, const SessionOptions& options,
                 int threads);

  /// A step for as many operators from `begin` on as work in blocks. Its `step` is null when the first does not, or
  /// when too much would be computed in channels that are not there.
  Result<LayerStepSpec> cut(size_t begin) const;

 private:
  bool works(size_t op, int64_t batch) const;
  bool pays(std::span<const backends::BlockNode> nodes) const;
  void fuse(std::vector<backends::BlockNode>& nodes) const;
  void join_separable(std::vector<backends::BlockNode>& nodes) const;

  const format::Program& program_;
  std::vector<Shape> picture_shapes_;  // for one picture of the batch
  std::span<const Shape> shapes_;
  std::vector<size_t> last_use_, uses_;  // per value
  backends::BlockContext context_;
  bool profile_;
};

/// Whether nearly all of the program's work is in convolutions that run well in blocks, and its tensors are small
/// enough to be held whole.
bool suits_blocks(const format::Program& program, std::span<const Shape> shapes, const SessionOptions& options);

}  // namespace coco::runtime
