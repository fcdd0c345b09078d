#include <cmath>
#include <functional>
#include <type_traits>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// y = fn(a, b) with both inputs broadcast to the result.
template <typename In, typename Out, typename Fn>
void map_broadcast(const TensorView& a, const TensorView& b, const MutableTensorView& y, int64_t row_begin,
                   int64_t row_end, Fn fn) noexcept {
  const size_t rank = y.shape.rank();
  const Extents a_strides = broadcast_strides(a.shape, y.shape), b_strides = broadcast_strides(b.shape, y.shape);
  const int64_t a_step = rank > 0 ? a_strides[rank - 1] : 0, b_step = rank > 0 ? b_strides[rank - 1] : 0;
  const int64_t length = dense_row_length(y.shape);
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(y.shape, row);
    const In* pa = a.as<In>() + dot(at, a_strides, rank);
    const In* pb = b.as<In>() + dot(at, b_strides, rank);
    Out* py = y.as<Out>() + row * length;
    for (int64_t i = 0; i < length; ++i) py[i] = static_cast<Out>(fn(pa[i * a_step], pb[i * b_step]));
  }
}

// Integers wrap around: computed without sign.
template <typename T, typename Fn>
T wrapped(T a, T b, Fn fn) noexcept {
  using U = std::make_unsigned_t<std::common_type_t<T, int>>;
  return static_cast<T>(fn(static_cast<U>(a), static_cast<U>(b)));
}

template <typename T>
T divide(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return a / b;
  } else {
    if (b == 0) return 0;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return wrapped(T{0}, a, std::minus<>());
    return static_cast<T>(a / b);
  }
}

template <typename T>
T fmod_of(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    return b == 0 || b == static_cast<T>(-1) ? T{0} : static_cast<T>(a % b);
  }
}

template <typename T>
T mod_of(T a, T b) noexcept {
  const T rest = fmod_of(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
}

template <typename T>
T computed(format::BinaryKind kind, T a, T b) noexcept {
  using format::BinaryKind;
  const auto wrap = [&](auto fn) {
    if constexpr (std::is_floating_point_v<T>) {
      return fn(a, b);
    } else {
      return wrapped(a, b, fn);
    }
  };
  switch (kind) {
    case BinaryKind::kAdd:
      return wrap(std::plus<>());
    case BinaryKind::kSub:
      return wrap(std::minus<>());
    case BinaryKind::kMul:
      return wrap(std::multiplies<>());
    case BinaryKind::kDiv:
      return divide(a, b);
    case BinaryKind::kPow:
      return static_cast<T>(std::pow(a, b));
    case BinaryKind::kMin:  // a NaN on either side comes through
      return b < a || b != b ? b : a;
    case BinaryKind::kMax:
      return b > a || b != b ? b : a;
    case BinaryKind::kMod:
      return mod_of(a, b);
    case BinaryKind::kFmod:
      return fmod_of(a, b);
    default:
      return a;
  }
}

template <typename T>
void arithmetic(format::BinaryKind kind, std::span<const TensorView> in, const MutableTensorView& out,
                int64_t row_begin, int64_t row_end) noexcept {
  map_broadcast<T, T>(in[0], in[1], out, row_begin, row_end, [kind](T a, T b) { return computed(kind, a, b); });
}

template <typename T>
void compare(format::BinaryKind kind, std::span<const TensorView> in, const MutableTensorView& out, int64_t row_begin,
             int64_t row_end) noexcept {
  const auto map = [&](auto fn) { map_broadcast<T, uint8_t>(in[0], in[1], out, row_begin, row_end, fn); };
  using format::BinaryKind;
  switch (kind) {
    case BinaryKind::kEqual:
      return map([](T a, T b) { return a == b; });
    case BinaryKind::kLess:
      return map([](T a, T b) { return a < b; });
    case BinaryKind::kLessOrEqual:
      return map([](T a, T b) { return a <= b; });
    case BinaryKind::kGreater:
      return map([](T a, T b) { return a > b; });
    case BinaryKind::kGreaterOrEqual:
      return map([](T a, T b) { return a >= b; });
    case BinaryKind::kAnd:
      return map([](T a, T b) { return a != 0 && b != 0; });
    case BinaryKind::kOr:
      return map([](T a, T b) { return a != 0 || b != 0; });
    case BinaryKind::kXor:
      return map([](T a, T b) { return (a != 0) != (b != 0); });
    default:
      return;
  }
}

// kNeg, kAbs and kSign of integers; the lowest number's negative is itself.
template <typename T>
T apply_integer(format::UnaryKind kind, T x) noexcept {
  if (kind == format::UnaryKind::kIdentity) return x;
  if (kind == format::UnaryKind::kSign) return static_cast<T>((x > 0) - (x < 0));
  return kind == format::UnaryKind::kAbs && x >= 0 ? x : wrapped(T{0}, x, std::minus<>());
}

bool is_inf(const format::UnaryParams& p, float x) noexcept {
  return std::isinf(x) && (x < 0 ? p.a != 0.0f : p.b != 0.0f);
}

}  // namespace

// The formulas of format::UnaryKind. NaN stays NaN.
float apply_unary(format::UnaryKind kind, float a, float b, float x) noexcept {
  using format::UnaryKind;
  const auto clamp = [](float v, float low, float high) {
    const float raised = v < low ? low : v;
    return raised > high ? high : raised;
  };
  switch (kind) {
    case UnaryKind::kIdentity:
      return x;
    case UnaryKind::kRelu:
      return x < 0.0f ? 0.0f : x;
    case UnaryKind::kLeakyRelu:
      return x < 0.0f ? a * x : x;
    case UnaryKind::kClip:
      return clamp(x, a, b);
    case UnaryKind::kSigmoid:
      return 1.0f / (1.0f + std::exp(-x));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kHardSigmoid:
      return clamp(a * x + b, 0.0f, 1.0f);
    case UnaryKind::kHardSwish:
      return x * clamp(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f);
    case UnaryKind::kElu:
      return x < 0.0f ? a * std::expm1(x) : x;
    case UnaryKind::kSelu:
      return b * (x <= 0.0f ? a * std::expm1(x) : x);
    case UnaryKind::kSoftplus:
      return (x > 0.0f ? x : 0.0f * x) + std::log1p(std::exp(-std::fabs(x)));
    case UnaryKind::kSoftsign:
      return x / (1.0f + std::fabs(x));
    case UnaryKind::kThresholdedRelu:
      return x > a ? x : 0.0f * x;
    case UnaryKind::kSwish:
      return x / (1.0f + std::exp(-x));
    case UnaryKind::kGelu:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
    case UnaryKind::kErf:
      return std::erf(x);
    case UnaryKind::kExp:
      return std::exp(x);
    case UnaryKind::kLog:
      return std::log(x);
    case UnaryKind::kSqrt:
      return std::sqrt(x);
    case UnaryKind::kReciprocal:
      return 1.0f / x;
    case UnaryKind::kNeg:
      return -x;
    case UnaryKind::kAbs:
      return std::fabs(x);
    case UnaryKind::kSign:
      return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
    case UnaryKind::kFloor:
      return std::floor(x);
    case UnaryKind::kCeil:
      return std::ceil(x);
    case UnaryKind::kRound:
      return std::nearbyint(x);
    case UnaryKind::kSin:
      return std::sin(x);
    case UnaryKind::kCos:
      return std::cos(x);
    case UnaryKind::kTan:
      return std::tan(x);
    case UnaryKind::kAsin:
      return std::asin(x);
    case UnaryKind::kAcos:
      return std::acos(x);
    case UnaryKind::kAtan:
      return std::atan(x);
    case UnaryKind::kSinh:
      return std::sinh(x);
    case UnaryKind::kCosh:
      return std::cosh(x);
    case UnaryKind::kAsinh:
      return std::asinh(x);
    case UnaryKind::kAcosh:
      return std::acosh(x);
    case UnaryKind::kAtanh:
      return std::atanh(x);
    case UnaryKind::kNot:
    case UnaryKind::kIsNan:
    case UnaryKind::kIsInf:
      break;  // no number: unary_ref makes bool
  }
  return x;
}

float apply_binary(format::BinaryKind kind, float a, float b) noexcept { return computed(kind, a, b); }

// y = f(x), element by element.
void unary_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::UnaryParams>(params);
  const int64_t length = dense_row_length(out[0].shape);
  const int64_t begin = row_begin * length, end = row_end * length;
  const auto map = [&](auto type, auto* y, auto fn) {
    const auto* x = in[0].as<decltype(type)>();
    for (int64_t i = begin; i < end; ++i) y[i] = fn(x[i]);
  };
  auto* bools = out[0].as<uint8_t>();
  if (p.kind == format::UnaryKind::kNot) return map(uint8_t{}, bools, [](uint8_t x) { return x == 0; });
  if (p.kind == format::UnaryKind::kIsNan) return map(0.0f, bools, [](float x) { return std::isnan(x); });
  if (p.kind == format::UnaryKind::kIsInf) return map(0.0f, bools, [&](float x) { return is_inf(p, x); });
  const auto integer = [&](auto type) {
    using T = decltype(type);
    map(type, out[0].as<T>(), [&](T x) { return apply_integer(p.kind, x); });
  };
  switch (in[0].type) {
    case DataType::kS8:
      return integer(int8_t{});
    case DataType::kU8:
    case DataType::kBool:
      return integer(uint8_t{});
    case DataType::kS32:
      return integer(int32_t{});
    case DataType::kS64:
      return integer(int64_t{});
    default:
      return map(0.0f, out[0].as<float>(), [&](float x) { return apply_unary(p.kind, p.a, p.b, x); });
  }
}

// y = x < 0 ? slope * x : x, slope broadcast to x.
void prelu_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  map_broadcast<float, float>(in[0], in[1], out[0], row_begin, row_end,
                              [](float x, float s) { return x < 0.0f ? s * x : x; });
}

// y = a op b, both broadcast as NumPy does.
void binary_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const format::BinaryKind kind = std::get<format::BinaryParams>(params).kind;
  const auto run = [&](auto type) {
    using T = decltype(type);
    if (format::is_comparison(kind) || format::is_logical(kind)) {
      compare<T>(kind, in, out[0], row_begin, row_end);
    } else {
      arithmetic<T>(kind, in, out[0], row_begin, row_end);
    }
  };
  switch (in[0].type) {
    case DataType::kS8:
      return run(int8_t{});
    case DataType::kU8:
    case DataType::kBool:
      return run(uint8_t{});
    case DataType::kS32:
      return run(int32_t{});
    case DataType::kS64:
      return run(int64_t{});
    default:
      return run(0.0f);
  }
}

}  // namespace coco::kernels
