// Purpose: operators over whole dense tensors. The *_ref functions are the specification of every operator in
// format/ops.def: plain scalar loops with the meaning ONNX gives it, parameters as in format/params.h.
// Tensors are contiguous and row-major. The unit of work is a row of the first result: all its dimensions but the last
// one, counted in memory order; operators that work along an axis have larger units (dense_units). A call computes
// units [row_begin, row_end) and touches no other byte of the results, so ranges may run at the same time. Results
// never overlap inputs. Shapes and types fit (validated when the plan is made); an absent optional input has null data.
// Kernels neither allocate, log, lock nor fail.
#pragma once

#include <cstdint>
#include <span>

#include "coco/tensor.h"
#include "format/params.h"

namespace coco::kernels {

using DenseKernel = void (*)(const format::OpParams& params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept;

/// What chooses a dense kernel: parameters, shapes and types. Data pointers may be null and are not looked at.
struct DenseKey {
  const format::OpParams* params = nullptr;
  std::span<const TensorView> inputs;
  std::span<const MutableTensorView> outputs;
};

/// Highest rank the kernels take.
inline constexpr size_t kMaxDenseRank = 8;

/// Rows of a tensor: the product of all dimensions but the last; 1 for scalars and vectors; 0 when it has no elements.
int64_t dense_rows(const Shape& shape) noexcept;
/// Length of a row: the last dimension, 1 for scalars.
int64_t dense_row_length(const Shape& shape) noexcept;
/// Units of work of an operator: dense_rows of its first result; one per line of Softmax and TopK, per normalised part
/// of the norms, per sequence and direction of Lstm and Gru; one for ScatterNd and NonMaxSuppression. 0 where the
/// results have no elements.
int64_t dense_units(const DenseKey& key) noexcept;

#define COCO_DECLARE_DENSE(name)                                                                                    \
  void name(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out, \
            int64_t row_begin, int64_t row_end) noexcept;
COCO_DECLARE_DENSE(conv2d_ref)
COCO_DECLARE_DENSE(conv_transpose2d_ref)
COCO_DECLARE_DENSE(unary_ref)
COCO_DECLARE_DENSE(prelu_ref)
COCO_DECLARE_DENSE(binary_ref)
COCO_DECLARE_DENSE(resize_ref)
COCO_DECLARE_DENSE(pad_ref)
COCO_DECLARE_DENSE(concat_ref)
COCO_DECLARE_DENSE(slice_ref)
COCO_DECLARE_DENSE(depth_to_space_ref)
COCO_DECLARE_DENSE(space_to_depth_ref)
COCO_DECLARE_DENSE(transpose_ref)
COCO_DECLARE_DENSE(reshape_ref)
COCO_DECLARE_DENSE(quantize_ref)
COCO_DECLARE_DENSE(quant_conv2d_ref)
COCO_DECLARE_DENSE(dequantize_ref)
COCO_DECLARE_DENSE(matmul_ref)
COCO_DECLARE_DENSE(reduce_ref)
COCO_DECLARE_DENSE(arg_reduce_ref)
COCO_DECLARE_DENSE(top_k_ref)
COCO_DECLARE_DENSE(softmax_ref)
COCO_DECLARE_DENSE(pool2d_ref)
COCO_DECLARE_DENSE(layer_norm_ref)
COCO_DECLARE_DENSE(group_norm_ref)
COCO_DECLARE_DENSE(gather_ref)
COCO_DECLARE_DENSE(gather_elements_ref)
COCO_DECLARE_DENSE(scatter_nd_ref)
COCO_DECLARE_DENSE(expand_ref)
COCO_DECLARE_DENSE(tile_ref)
COCO_DECLARE_DENSE(where_ref)
COCO_DECLARE_DENSE(cast_ref)
COCO_DECLARE_DENSE(non_max_suppression_ref)
COCO_DECLARE_DENSE(grid_sample_ref)
COCO_DECLARE_DENSE(lstm_ref)
COCO_DECLARE_DENSE(gru_ref)
COCO_DECLARE_DENSE(lookup_ref)
COCO_DECLARE_DENSE(quant_binary_ref)
COCO_DECLARE_DENSE(pool2d_steps_ref)
COCO_DECLARE_DENSE(resize_steps_ref)
#undef COCO_DECLARE_DENSE

/// One element of the pointwise function of UnaryParams and of Conv2dParams' activation.
float apply_unary(format::UnaryKind kind, float a, float b, float x) noexcept;
/// One element of BinaryParams' arithmetic.
float apply_binary(format::BinaryKind kind, float a, float b) noexcept;
/// One element of QuantBinary.
uint8_t quant_binary(const format::QuantBinaryParams& params, int32_t a, int32_t b) noexcept;

}  // namespace coco::kernels
