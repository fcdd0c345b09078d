// Purpose: the parameter struct of each operator in ops.def. One definition serves the compiler's graph, the text
// form, the .coco file and the run time: `fields` visits every member as (name, member).
// Member types are int64_t, float, bool, enums with to_string/from_string below, std::vector<int64_t>,
// std::vector<float> and std::array<int64_t, N>.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "coco/tensor.h"
#include "format/params_tensor.h"

namespace coco::format {

/// Pointwise functions. a and b are the parameters named in brackets. On f32, but kNeg, kAbs and kSign also on signed
/// integers; kNot on bool. kIsNan and kIsInf make bool.
enum class UnaryKind : uint8_t {
  kIdentity,
  kRelu,
  kLeakyRelu,  ///< [a = slope for x < 0]
  kClip,       ///< [a = low, b = high]
  kSigmoid,
  kTanh,
  kHardSigmoid,      ///< max(0, min(1, a x + b))
  kHardSwish,        ///< x max(0, min(1, x / 6 + 0.5))
  kElu,              ///< x < 0 ? a (exp(x) - 1) : x
  kSelu,             ///< b (x <= 0 ? a (exp(x) - 1) : x)
  kSoftplus,         ///< log(exp(x) + 1)
  kSoftsign,         ///< x / (1 + |x|)
  kThresholdedRelu,  ///< x > a ? x : 0
  kSwish,            ///< x / (1 + exp(-x))
  kGelu,             ///< x / 2 (1 + erf(x / sqrt(2)))
  kErf,
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kNeg,
  kAbs,
  kSign,
  kFloor,
  kCeil,
  kRound,  ///< to the nearest, of two the even one
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kNot,
  kIsNan,
  kIsInf,  ///< [a != 0: negative infinity counts, b != 0: positive infinity counts]
};
/// Arithmetic on f32, u8, s8, s32 and s64 (integers wrap around, division goes towards zero, x / 0 = 0); kPow on f32.
/// kMod takes the divisor's sign, kFmod the dividend's. Comparisons of any of these types make bool; kAnd, kOr and
/// kXor take and make bool; kEqual takes bool, too.
enum class BinaryKind : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kPow,
  kMin,
  kMax,
  kMod,
  kFmod,
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor,
};
/// Whether the result is bool for operands of another type.
constexpr bool is_comparison(BinaryKind kind) {
  return kind >= BinaryKind::kEqual && kind <= BinaryKind::kGreaterOrEqual;
}
constexpr bool is_logical(BinaryKind kind) { return kind >= BinaryKind::kAnd; }
enum class PadMode : uint8_t { kConstant, kReflect, kEdge };
enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic };
enum class CoordinateMode : uint8_t { kHalfPixel, kPytorchHalfPixel, kAlignCorners, kAsymmetric };
enum class NearestMode : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class DepthToSpaceMode : uint8_t { kDcr, kCrd };

/// Inputs: x [N,C,H,W], weight [M,C/group,kh,kw], bias [M] or -1, slope [M] or -1 (PReLU applied to the result).
/// Result [N,M,oh,ow]; `activation` is applied last when there is no slope.
struct Conv2dParams {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right; zeros are padded
  int64_t group = 1;
  UnaryKind activation = UnaryKind::kIdentity;
  float act_a = 0, act_b = 0;
  template <typename V>
  void fields(V&& v) {
    v("kernel", kernel), v("stride", stride), v("dilation", dilation), v("pads", pads), v("group", group);
    v("activation", activation), v("act_a", act_a), v("act_b", act_b);
  }
};

/// Inputs: x [N,C,H,W], weight [C,M/group,kh,kw], bias [M] or -1.
struct ConvTranspose2dParams {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right, taken off the result
  std::array<int64_t, 2> output_padding{0, 0};
  int64_t group = 1;
  template <typename V>
  void fields(V&& v) {
    v("kernel", kernel), v("stride", stride), v("dilation", dilation), v("pads", pads);
    v("output_padding", output_padding), v("group", group);
  }
};

/// Inputs: x, any shape.
struct UnaryParams {
  UnaryKind kind = UnaryKind::kIdentity;
  float a = 0, b = 0;
  template <typename V>
  void fields(V&& v) {
    v("kind", kind), v("a", a), v("b", b);
  }
};

/// Inputs: x, slope (unidirectionally broadcastable to x).
struct PreluParams {
  template <typename V>
  void fields(V&&) {}
};

/// Inputs: a, b, broadcast as NumPy does.
struct BinaryParams {
  BinaryKind kind = BinaryKind::kAdd;
  template <typename V>
  void fields(V&& v) {
    v("kind", kind);
  }
};

/// Inputs: one or more of equal shape but for `axis` (0 <= axis < rank).
struct ConcatParams {
  int64_t axis = 1;
  template <typename V>
  void fields(V&& v) {
    v("axis", axis);
  }
};

/// Inputs: x. Lists of equal length; axes are distinct, 0 <= axis < rank; negative starts and ends count from the end
/// and are clamped to the dimension as ONNX says (slice_range in shape_rules.h); steps are not 0.
struct SliceParams {
  std::vector<int64_t> axes, starts, ends, steps;
  template <typename V>
  void fields(V&& v) {
    v("axes", axes), v("starts", starts), v("ends", ends), v("steps", steps);
  }
};

/// Inputs: x. pads: begin of each axis, then end of each axis (2 * rank values, negative crops first).
/// kReflect does not repeat the edge sample and reaches no further than the input does.
struct PadParams {
  PadMode mode = PadMode::kConstant;
  std::vector<int64_t> pads;
  float value = 0;
  template <typename V>
  void fields(V&& v) {
    v("mode", mode), v("pads", pads), v("value", value);
  }
};

/// Inputs: x. One of scales (one per axis; result = floor(in * scale)) or sizes is given, the other empty.
struct ResizeParams {
  ResizeMode mode = ResizeMode::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  std::vector<float> scales;
  std::vector<int64_t> sizes;
  template <typename V>
  void fields(V&& v) {
    v("mode", mode), v("coordinates", coordinates), v("nearest", nearest), v("cubic_a", cubic_a);
    v("exclude_outside", exclude_outside), v("scales", scales), v("sizes", sizes);
  }
};

/// Inputs: x [N,C*block^2,H,W]. Result [N,C,H*block,W*block].
struct DepthToSpaceParams {
  int64_t block = 2;
  DepthToSpaceMode mode = DepthToSpaceMode::kDcr;
  template <typename V>
  void fields(V&& v) {
    v("block", block), v("mode", mode);
  }
};

/// Inputs: x [N,C,H*block,W*block]. Result [N,C*block^2,H,W], channel = (by * block + bx) * C + c.
struct SpaceToDepthParams {
  int64_t block = 2;
  template <typename V>
  void fields(V&& v) {
    v("block", block);
  }
};

/// Inputs: x. perm: result axis i is input axis perm[i].
struct TransposeParams {
  std::vector<int64_t> perm;
  template <typename V>
  void fields(V&& v) {
    v("perm", perm);
  }
};

/// Inputs: x. shape as ONNX: 0 copies the input's dimension (unless allow_zero), one -1 is inferred.
struct ReshapeParams {
  std::vector<int64_t> shape;
  bool allow_zero = false;
  template <typename V>
  void fields(V&& v) {
    v("shape", shape), v("allow_zero", allow_zero);
  }
};

/// Inputs: x f32, any shape. Result u8: clamp(round_half_even(x * multiplier) + zero_point, 0, 255).
struct QuantizeParams {
  float multiplier = 255;  ///< 1 / the size of a step
  int64_t zero_point = 0;  ///< 0..255: the integer that stands for 0
  template <typename V>
  void fields(V&& v) {
    v("multiplier", multiplier), v("zero_point", zero_point);
  }
};

/// Inputs: x u8 [N,C,H,W]; all constant: weight s8 [M,C/group,kh,kw], bias s32 [M], scale f32 [M], negative f32 [M] or
/// -1 (scale of negative sums: PReLU; absent: scale).
///   acc = bias[m] + sum of (x - in_zero_point) * weight, exactly, |acc| < 2^24; what stands outside the picture adds 0
///   s = float(acc) * (acc < 0 ? negative[m] : scale[m]), one IEEE multiplication
/// Result [N,M,oh,ow]: u8 clamp(round_half_even(s) + out_zero_point, low, high), or f32 s where `dequantize`.
struct QuantConv2dParams {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right
  int64_t group = 1;
  int64_t in_zero_point = 0, out_zero_point = 0;  ///< 0..255
  int64_t low = 0, high = 255;                    ///< of the result, 0 <= low <= high <= 255
  bool dequantize = false;
  template <typename V>
  void fields(V&& v) {
    v("kernel", kernel), v("stride", stride), v("dilation", dilation), v("pads", pads), v("group", group);
    v("in_zero_point", in_zero_point), v("out_zero_point", out_zero_point), v("low", low), v("high", high);
    v("dequantize", dequantize);
  }
};

/// Inputs: x u8, s8 or s32, any shape; scale f32 and zero_point s32 or -1 (0): one element, or one per index of `axis`.
/// Result f32: float(x - zero_point) * scale.
struct DequantizeParams {
  int64_t axis = 1;  ///< 0 <= axis < rank where scale or zero_point have several elements
  template <typename V>
  void fields(V&& v) {
    v("axis", axis);
  }
};

/// Inputs: x u8, any shape; table u8 [256], constant. Result u8: table[x].
struct LookupParams {
  int64_t zero_point = 0;  ///< 0..255: the byte of the result that stands for 0
  template <typename V>
  void fields(V&& v) {
    v("zero_point", zero_point);
  }
};

/// Inputs: a, b u8, broadcast as NumPy does.
///   kAdd   acc = (a - a_zero_point) * a_factor + (b - b_zero_point) * b_factor
///   kMul   acc = (a - a_zero_point) * (b - b_zero_point)
/// Result u8: clamp(round_half_even(float(acc) * scale) + out_zero_point, low, high), one IEEE multiplication.
struct QuantBinaryParams {
  BinaryKind kind = BinaryKind::kAdd;
  int64_t a_zero_point = 0, b_zero_point = 0, out_zero_point = 0;  ///< 0..255
  int64_t a_factor = 1, b_factor = 1;                              ///< -32767..32767: |acc| < 2^24
  float scale = 1;                                                 ///< |scale| <= 64
  int64_t low = 0, high = 255;                                     ///< of the result, 0 <= low <= high <= 255
  template <typename V>
  void fields(V&& v) {
    v("kind", kind), v("a_zero_point", a_zero_point), v("b_zero_point", b_zero_point);
    v("out_zero_point", out_zero_point), v("a_factor", a_factor), v("b_factor", b_factor), v("scale", scale);
    v("low", low), v("high", high);
  }
};

enum class OpKind : uint16_t {
#define COCO_OP(name, params) k##name,
#include "format/ops.def"
#undef COCO_OP
};
inline constexpr int kOpKindCount = 0
#define COCO_OP(name, params) +1
#include "format/ops.def"
#undef COCO_OP
    ;

/// Index of the alternative == OpKind value + 1 (monostate first, so that the list can end in a comma).
using OpParams = std::variant<std::monostate
#define COCO_OP(name, params) , params
#include "format/ops.def"
#undef COCO_OP
                              >;

/// "Conv2d"
std::string_view to_string(OpKind kind);
std::optional<OpKind> op_kind_from_string(std::string_view name);
/// The operator whose parameter struct the variant holds; it must not be monostate.
inline OpKind op_kind(const OpParams& params) { return static_cast<OpKind>(params.index() - 1); }
/// Default parameters of an operator.
OpParams make_params(OpKind kind);

using coco::to_string;
// Enumerators' text names ("leaky_relu", "half_pixel", ...). from_string returns false for an unknown name.
std::string_view to_string(UnaryKind);
std::string_view to_string(BinaryKind);
std::string_view to_string(PadMode);
std::string_view to_string(ResizeMode);
std::string_view to_string(CoordinateMode);
std::string_view to_string(NearestMode);
std::string_view to_string(DepthToSpaceMode);
std::string_view to_string(ReduceKind);
std::string_view to_string(PoolKind);
std::string_view to_string(GridMode);
std::string_view to_string(GridPadding);
std::string_view to_string(ScatterKind);
std::string_view to_string(Direction);
bool from_string(std::string_view, UnaryKind&);
bool from_string(std::string_view, BinaryKind&);
bool from_string(std::string_view, PadMode&);
bool from_string(std::string_view, ResizeMode&);
bool from_string(std::string_view, CoordinateMode&);
bool from_string(std::string_view, NearestMode&);
bool from_string(std::string_view, DepthToSpaceMode&);
bool from_string(std::string_view, ReduceKind&);
bool from_string(std::string_view, PoolKind&);
bool from_string(std::string_view, GridMode&);
bool from_string(std::string_view, GridPadding&);
bool from_string(std::string_view, ScatterKind&);
bool from_string(std::string_view, Direction&);
bool from_string(std::string_view, DataType&);

}  // namespace coco::format
