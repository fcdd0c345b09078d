#include "format/params.h"

namespace coco::format {
namespace {

constexpr std::array<std::string_view, kOpKindCount> kOpNames{
#define COCO_OP(name, params) #name,
#include "format/ops.def"
#undef COCO_OP
};

// Text names, indexed by the enumerator's value.
template <typename Enum>
struct Names;
template <>
struct Names<UnaryKind> {
  static constexpr std::string_view kList[] = {"identity",
                                               "relu",
                                               "leaky_relu",
                                               "clip",
                                               "sigmoid",
                                               "tanh",
                                               "hard_sigmoid",
                                               "hard_swish",
                                               "elu",
                                               "selu",
                                               "softplus",
                                               "softsign",
                                               "thresholded_relu",
                                               "swish",
                                               "gelu",
                                               "erf",
                                               "exp",
                                               "log",
                                               "sqrt",
                                               "reciprocal",
                                               "neg",
                                               "abs",
                                               "sign",
                                               "floor",
                                               "ceil",
                                               "round",
                                               "sin",
                                               "cos",
                                               "tan",
                                               "asin",
                                               "acos",
                                               "atan",
                                               "sinh",
                                               "cosh",
                                               "asinh",
                                               "acosh",
                                               "atanh",
                                               "not",
                                               "is_nan",
                                               "is_inf"};
};
template <>
struct Names<BinaryKind> {
  static constexpr std::string_view kList[] = {
      "add", "sub",  "mul",   "div",  "pow",           "min",     "max",
      "mod", "fmod", "equal", "less", "less_or_equal", "greater", "greater_or_equal",
      "and", "or",   "xor"};
};
template <>
struct Names<PadMode> {
  static constexpr std::string_view kList[] = {"constant", "reflect", "edge"};
};
template <>
struct Names<ResizeMode> {
  static constexpr std::string_view kList[] = {"nearest", "linear", "cubic"};
};
template <>
struct Names<CoordinateMode> {
  static constexpr std::string_view kList[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
};
template <>
struct Names<NearestMode> {
  static constexpr std::string_view kList[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
};
template <>
struct Names<DepthToSpaceMode> {
  static constexpr std::string_view kList[] = {"dcr", "crd"};
};
template <>
struct Names<ReduceKind> {
  static constexpr std::string_view kList[] = {"sum", "mean", "max",        "min",     "prod",
                                               "l1",  "l2",   "sum_square", "log_sum", "log_sum_exp"};
};
template <>
struct Names<PoolKind> {
  static constexpr std::string_view kList[] = {"max", "average", "lp"};
};
template <>
struct Names<GridMode> {
  static constexpr std::string_view kList[] = {"bilinear", "nearest", "bicubic"};
};
template <>
struct Names<GridPadding> {
  static constexpr std::string_view kList[] = {"zeros", "border", "reflection"};
};
template <>
struct Names<ScatterKind> {
  static constexpr std::string_view kList[] = {"set", "add", "mul"};
};
template <>
struct Names<Direction> {
  static constexpr std::string_view kList[] = {"forward", "reverse", "bidirectional"};
};

template <typename Enum>
std::string_view name_of(Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < std::size(Names<Enum>::kList) ? Names<Enum>::kList[index] : std::string_view();
}

template <typename Enum>
bool parse(std::string_view name, Enum& value) {
  for (size_t i = 0; i < std::size(Names<Enum>::kList); ++i) {
    if (Names<Enum>::kList[i] != name) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(OpKind kind) {
  const auto index = static_cast<size_t>(kind);
  return index < kOpNames.size() ? kOpNames[index] : std::string_view();
}

std::optional<OpKind> op_kind_from_string(std::string_view name) {
  for (size_t i = 0; i < kOpNames.size(); ++i) {
    if (kOpNames[i] == name) return static_cast<OpKind>(i);
  }
  return std::nullopt;
}

OpParams make_params(OpKind kind) {
  switch (kind) {
#define COCO_OP(name, params) \
  case OpKind::k##name:       \
    return OpParams(std::in_place_index<static_cast<size_t>(OpKind::k##name) + 1>);
#include "format/ops.def"
#undef COCO_OP
  }
  return {};
}

std::string_view to_string(UnaryKind value) { return name_of(value); }
std::string_view to_string(BinaryKind value) { return name_of(value); }
std::string_view to_string(PadMode value) { return name_of(value); }
std::string_view to_string(ResizeMode value) { return name_of(value); }
std::string_view to_string(CoordinateMode value) { return name_of(value); }
std::string_view to_string(NearestMode value) { return name_of(value); }
std::string_view to_string(DepthToSpaceMode value) { return name_of(value); }
std::string_view to_string(ReduceKind value) { return name_of(value); }
std::string_view to_string(PoolKind value) { return name_of(value); }
std::string_view to_string(GridMode value) { return name_of(value); }
std::string_view to_string(GridPadding value) { return name_of(value); }
std::string_view to_string(ScatterKind value) { return name_of(value); }
std::string_view to_string(Direction value) { return name_of(value); }

bool from_string(std::string_view name, UnaryKind& value) { return parse(name, value); }
bool from_string(std::string_view name, BinaryKind& value) { return parse(name, value); }
bool from_string(std::string_view name, PadMode& value) { return parse(name, value); }
bool from_string(std::string_view name, ResizeMode& value) { return parse(name, value); }
bool from_string(std::string_view name, CoordinateMode& value) { return parse(name, value); }
bool from_string(std::string_view name, NearestMode& value) { return parse(name, value); }
bool from_string(std::string_view name, DepthToSpaceMode& value) { return parse(name, value); }
bool from_string(std::string_view name, ReduceKind& value) { return parse(name, value); }
bool from_string(std::string_view name, PoolKind& value) { return parse(name, value); }
bool from_string(std::string_view name, GridMode& value) { return parse(name, value); }
bool from_string(std::string_view name, GridPadding& value) { return parse(name, value); }
bool from_string(std::string_view name, ScatterKind& value) { return parse(name, value); }
bool from_string(std::string_view name, Direction& value) { return parse(name, value); }
bool from_string(std::string_view name, DataType& value) {
  const std::optional<DataType> type = data_type_from_string(name);
  value = type.value_or(value);
  return type.has_value();
}

}  // namespace coco::format
