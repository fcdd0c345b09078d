// Purpose: parameter structs of the operators on tensors of any rank: products, reductions, normalisation, gathering,
// comparison, recurrence. Included by params.h, which says what a parameter struct is.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "coco/tensor.h"

namespace coco::format {

enum class ReduceKind : uint8_t { kSum, kMean, kMax, kMin, kProd, kL1, kL2, kSumSquare, kLogSum, kLogSumExp };
enum class PoolKind : uint8_t { kMax, kAverage, kLp };
enum class GridMode : uint8_t { kBilinear, kNearest, kBicubic };
enum class GridPadding : uint8_t { kZeros, kBorder, kReflection };
enum class ScatterKind : uint8_t { kSet, kAdd, kMul };
enum class Direction : uint8_t { kForward, kReverse, kBidirectional };

/// Inputs: a [..., M, K] (or [..., K, M] where transpose_a), b [..., K, N] (or [..., N, K]), rank 2 or more, leading
/// dimensions broadcast as NumPy does; bias [N] or -1. f32, or s32 (sums modulo 2^32) without bias.
struct MatMulParams {
  bool transpose_a = false, transpose_b = false;
  template <typename V>
  void fields(V&& v) {
    v("transpose_a", transpose_a), v("transpose_b", transpose_b);
  }
};

/// Inputs: x f32. The reduced axes are distinct, 0 <= axis < rank, and stay with length 1 where keep_dims. Over no
/// elements: 0 for sums, 1 for products, -inf and inf for max and min.
struct ReduceParams {
  ReduceKind kind = ReduceKind::kSum;
  std::vector<int64_t> axes;
  bool keep_dims = true;
  template <typename V>
  void fields(V&& v) {
    v("kind", kind), v("axes", axes), v("keep_dims", keep_dims);
  }
};

/// Inputs: x f32. Result s64: where along the axis the largest (smallest) element stands, the first of equals or the
/// last.
struct ArgReduceParams {
  int64_t axis = 0;
  bool keep_dims = true;
  bool smallest = false, last = false;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis), v("keep_dims", keep_dims), v("smallest", smallest), v("last", last);
  }
};

/// Inputs: x f32. Results: the k largest (smallest) elements along the axis in order, and where they stand (s64). Of
/// equals the one with the lower index comes first; NaN counts as larger than everything.
struct TopKParams {
  int64_t axis = 0;
  int64_t k = 1;
  bool smallest = false;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis), v("k", k), v("smallest", smallest);
  }
};

/// Inputs: x f32. exp(x - max) / sum over the axes [axis, end) together; `log`: the logarithm of it.
struct SoftmaxParams {
  int64_t axis = 0, end = 1;  ///< 0 <= axis < end <= rank
  bool log = false;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis), v("end", end), v("log", log);
  }
};

/// Inputs: x f32 [N,C,H,W]. Windows as in a convolution; what is padded takes no part in a maximum or an Lp norm, and
/// in an average only where count_padding. With ceil_mode the last window may reach past the padding; the part beyond
/// never counts.
struct Pool2dParams {
  PoolKind kind = PoolKind::kMax;
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right; less than the kernel's extent
  bool ceil_mode = false;
  bool count_padding = false;
  int64_t p = 2;  ///< of kLp: (sum |x|^p)^(1/p)
  template <typename V>
  void fields(V&& v) {
    v("kind", kind), v("kernel", kernel), v("stride", stride), v("dilation", dilation), v("pads", pads);
    v("ceil_mode", ceil_mode), v("count_padding", count_padding), v("p", p);
  }
};

/// Inputs: x f32, rank 2 or more, the axes [axis, rank) normalised together; scale and bias or -1, unidirectionally
/// broadcastable to x. y = (x - mean) / sqrt(variance + epsilon) * scale + bias (Ba et al., 2016).
struct LayerNormParams {
  int64_t axis = 1;
  float epsilon = 1e-5f;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis), v("epsilon", epsilon);
  }
};

/// Inputs: x f32 [N,C,...], scale [C] and bias [C] or -1. Channels are normalised in `groups` equal groups together
/// with everything behind them (Wu and He, 2018); groups = C is instance normalisation.
struct GroupNormParams {
  int64_t groups = 1;
  float epsilon = 1e-5f;
  template <typename V>
  void fields(V&& v) {
    v("groups", groups), v("epsilon", epsilon);
  }
};

/// Inputs: x of any type; indices s64 of any rank, -dim <= index < dim (out of range: the nearest in range).
/// Result: x's shape with `axis` replaced by the indices' shape.
struct GatherParams {
  int64_t axis = 0;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis);
  }
};

/// Inputs: x of any type; indices s64 of x's rank, no larger than x but along `axis`. Result: the indices' shape.
struct GatherElementsParams {
  int64_t axis = 0;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis);
  }
};

/// Inputs: x; indices s64 [..., K] with K <= rank; updates of x's type, shape indices[:-1] + x[K:]. kAdd and kMul are
/// f32 only. Indices out of range write nothing.
struct ScatterNdParams {
  ScatterKind kind = ScatterKind::kSet;
  template <typename V>
  void fields(V&& v) {
    v("kind", kind);
  }
};

/// Inputs: x of any type. Result: x and `shape` broadcast against each other as NumPy does.
struct ExpandParams {
  std::vector<int64_t> shape;
  template <typename V>
  void fields(V&& v) {
    v("shape", shape);
  }
};

/// Inputs: x of any type. repeats: one per axis, 0 or more.
struct TileParams {
  std::vector<int64_t> repeats;
  template <typename V>
  void fields(V&& v) {
    v("repeats", repeats);
  }
};

/// Inputs: condition bool, a and b of one type, broadcast as NumPy does. Result: condition ? a : b.
struct WhereParams {
  template <typename V>
  void fields(V&&) {}
};

/// Inputs: x of type f32, u8, s8, s32, s64 or bool. To an integer: towards zero, wrapped around; to bool: x != 0.
struct CastParams {
  DataType to = DataType::kF32;
  template <typename V>
  void fields(V&& v) {
    v("to", to);
  }
};

/// Inputs: boxes f32 [N,B,4] (y1, x1, y2, x2 in any corner order; where `centered` x, y, width, height), scores f32
/// [N,C,B]. Result s64 [N * C * min(most, B), 3]: batch, class, box of those selected, best first for each class of
/// each picture; unused rows at the end hold -1. A box is selected when its score is above the threshold and its
/// intersection over union with every one selected before is at most `overlap`.
struct NonMaxSuppressionParams {
  int64_t most = 0;  ///< of a class in a picture
  float overlap = 0;
  float threshold = 0;
  bool use_threshold = false;
  bool centered = false;
  template <typename V>
  void fields(V&& v) {
    v("most", most), v("overlap", overlap), v("threshold", threshold), v("use_threshold", use_threshold);
    v("centered", centered);
  }
};

/// Inputs: x f32 [N,C,H,W], grid f32 [N,oh,ow,2] of (x, y) in -1..1, which stand for the outer pixels' centres where
/// align_corners, else for their outer edges. Result [N,C,oh,ow].
struct GridSampleParams {
  GridMode mode = GridMode::kBilinear;
  GridPadding padding = GridPadding::kZeros;
  bool align_corners = false;
  template <typename V>
  void fields(V&& v) {
    v("mode", mode), v("padding", padding), v("align_corners", align_corners);
  }
};

/// Inputs, D directions (2 where bidirectional), H = hidden: x f32 [T,N,I], w [D,4H,I], r [D,4H,H] (gates in the order
/// input, output, forget, cell); the rest or -1: bias [D,8H], lengths s32 [N], initial_h and initial_c [D,N,H],
/// peepholes [D,3H]. Results: y [T,D,N,H], last h and last c [D,N,H] (Hochreiter and Schmidhuber, 1997).
struct LstmParams {
  int64_t hidden = 1;
  Direction direction = Direction::kForward;
  bool input_forget = false;  ///< forget gate = 1 - input gate
  template <typename V>
  void fields(V&& v) {
    v("hidden", hidden), v("direction", direction), v("input_forget", input_forget);
  }
};

/// Inputs as LstmParams' with gates in the order update, reset, hidden: x, w [D,3H,I], r [D,3H,H], bias [D,6H],
/// lengths, initial_h. Results: y and last h (Cho et al., 2014).
struct GruParams {
  int64_t hidden = 1;
  Direction direction = Direction::kForward;
  bool reset_after = false;  ///< the reset gate multiplies the product with the state (ONNX: linear_before_reset)
  template <typename V>
  void fields(V&& v) {
    v("hidden", hidden), v("direction", direction), v("reset_after", reset_after);
  }
};

}  // namespace coco::format
