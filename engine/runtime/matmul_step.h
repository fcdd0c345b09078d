// Purpose: matrices times constant matrices as a step of the layer executor: the weights are packed once in blocks of
// 16 columns, the rows of the other matrix are the pixels of a 1x1 convolution (kernels/block).
#pragma once

#include "coco/session.h"
#include "format/program.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

/// The step of operator `op`; its `step` is null when that is no f32 product with a constant matrix.
Result<LayerStepSpec> make_matmul_step(const format::Program& program, std::span<const Shape> shapes, size_t op,
                                       const SessionOptions& options, int threads);

}  // namespace coco::runtime
