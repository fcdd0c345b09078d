// Element types of operators' results.
#include <string>

#include "format/program.h"
#include "format/shape_rules.h"

namespace coco::format {
namespace {

using InputTypes = std::span<const std::optional<DataType>>;
using Types = Result<std::vector<DataType>>;

Error type_error(size_t slot, DataType type, std::string_view wanted) {
  return shape_error("input " + std::to_string(slot) + " is " + std::string(to_string(type)) + ", not " +
                     std::string(wanted));
}

Status expect(InputTypes in, size_t slot, DataType type) {
  if (slot >= in.size() || !in[slot] || *in[slot] == type) return {};
  return type_error(slot, *in[slot], to_string(type));
}

// Every input present, from `first` on.
Status expect_all(InputTypes in, size_t first, DataType type) {
  for (size_t i = first; i < in.size(); ++i) COCO_TRY(expect(in, i, type));
  return {};
}

// The one type of the inputs [first, in.size()); f32 when there is none.
Result<DataType> common(InputTypes in, size_t first = 0) {
  std::optional<DataType> type;
  for (size_t i = first; i < in.size(); ++i) {
    if (!in[i]) continue;
    if (!type) type = in[i];
    if (*in[i] != *type) {
      return shape_error("mixes inputs of types " + std::string(to_string(*type)) + " and " +
                         std::string(to_string(*in[i])));
    }
  }
  return type.value_or(DataType::kF32);
}

DataType type_at(InputTypes in, size_t slot) { return slot < in.size() && in[slot] ? *in[slot] : DataType::kF32; }

bool is_signed_integer(DataType type) {
  return type == DataType::kS8 || type == DataType::kS32 || type == DataType::kS64;
}
bool is_arithmetic(DataType type) {
  return type == DataType::kF32 || type == DataType::kF16 || type == DataType::kU8 || is_signed_integer(type);
}

// f32 holds every integer below.
constexpr int64_t kExactSumLimit = int64_t{1} << 24;

Types all_f32(InputTypes in) {
  COCO_TRY(expect_all(in, 0, DataType::kF32));
  return std::vector<DataType>{DataType::kF32};
}

// Operators that move elements, whatever they are.
template <typename Params>
Types rule(const Params&, InputTypes in) {
  COCO_ASSIGN(const DataType type, common(in));
  return std::vector<DataType>{type};
}

Types rule(const QuantConv2dParams& p, InputTypes in) {
  constexpr DataType kTypes[] = {DataType::kU8, DataType::kS8, DataType::kS32, DataType::kF32, DataType::kF32};
  for (size_t i = 0; i < std::size(kTypes); ++i) COCO_TRY(expect(in, i, kTypes[i]));
  return std::vector<DataType>{p.dequantize ? DataType::kF32 : DataType::kU8};
}

Types rule(const DequantizeParams&, InputTypes in) {
  const bool integer =
      !in.empty() && in[0] && (*in[0] == DataType::kU8 || *in[0] == DataType::kS8 || *in[0] == DataType::kS32);
  if (!integer) return shape_error("input 0 is not u8, s8 or s32");
  COCO_TRY(expect(in, 1, DataType::kF32));
  COCO_TRY(expect(in, 2, DataType::kS32));
  return std::vector<DataType>{DataType::kF32};
}

Types rule(const QuantizeParams&, InputTypes in) {
  COCO_TRY(expect(in, 0, DataType::kF32));
  return std::vector<DataType>{DataType::kU8};
}

Types rule(const UnaryParams& p, InputTypes in) {
  const DataType type = type_at(in, 0);
  switch (p.kind) {
    case UnaryKind::kNot:
      COCO_TRY(expect(in, 0, DataType::kBool));
      return std::vector<DataType>{DataType::kBool};
    case UnaryKind::kIsNan:
    case UnaryKind::kIsInf:
      COCO_TRY(expect(in, 0, DataType::kF32));
      return std::vector<DataType>{DataType::kBool};
    case UnaryKind::kIdentity:
      return std::vector<DataType>{type};
    case UnaryKind::kNeg:
    case UnaryKind::kAbs:
    case UnaryKind::kSign:
      if (is_signed_integer(type)) return std::vector<DataType>{type};
      [[fallthrough]];
    default:
      if (type != DataType::kF16) COCO_TRY(expect(in, 0, DataType::kF32));
      return std::vector<DataType>{type};
  }
}

Types rule(const BinaryParams& p, InputTypes in) {
  COCO_ASSIGN(const DataType type, common(in));
  const bool fits = is_logical(p.kind)             ? type == DataType::kBool
                    : p.kind == BinaryKind::kPow   ? type == DataType::kF32
                    : p.kind == BinaryKind::kEqual ? type == DataType::kBool || is_arithmetic(type)
                                                   : is_arithmetic(type);
  if (!fits) return type_error(0, type, "what '" + std::string(to_string(p.kind)) + "' takes");
  return std::vector<DataType>{is_comparison(p.kind) ? DataType::kBool : type};
}

Types rule(const MatMulParams&, InputTypes in) {
  if (type_at(in, 0) != DataType::kS32) return all_f32(in);
  COCO_TRY(expect(in, 1, DataType::kS32));
  if (in.size() > 2 && in[2]) return shape_error("a product of integers takes no bias");
  return std::vector<DataType>{DataType::kS32};
}

Types rule(const ReduceParams&, InputTypes in) { return all_f32(in); }
Types rule(const SoftmaxParams&, InputTypes in) { return all_f32(in); }
Types rule(const Pool2dParams& p, InputTypes in) {
  if (type_at(in, 0) != DataType::kU8) return all_f32(in);
  const bool averages = p.kind == PoolKind::kAverage && !p.count_padding;
  if (p.kind != PoolKind::kMax && !averages) return type_error(0, DataType::kU8, "what this pool takes");
  if (averages && p.kernel[0] * p.kernel[1] * 255 >= kExactSumLimit) {
    return shape_error("an average of integers over so large a window is not exact");
  }
  return std::vector<DataType>{DataType::kU8};
}
Types rule(const LookupParams&, InputTypes in) {
  COCO_TRY(expect_all(in, 0, DataType::kU8));
  return std::vector<DataType>{DataType::kU8};
}
Types rule(const QuantBinaryParams&, InputTypes in) {
  COCO_TRY(expect_all(in, 0, DataType::kU8));
  return std::vector<DataType>{DataType::kU8};
}
Types rule(const LayerNormParams&, InputTypes in) { return all_f32(in); }
Types rule(const GroupNormParams&, InputTypes in) { return all_f32(in); }
Types rule(const GridSampleParams&, InputTypes in) { return all_f32(in); }

Types rule(const ArgReduceParams&, InputTypes in) {
  COCO_TRY(expect(in, 0, DataType::kF32));
  return std::vector<DataType>{DataType::kS64};
}
Types rule(const TopKParams&, InputTypes in) {
  COCO_TRY(expect(in, 0, DataType::kF32));
  return std::vector<DataType>{DataType::kF32, DataType::kS64};
}
Types rule(const NonMaxSuppressionParams&, InputTypes in) {
  COCO_TRY(expect_all(in, 0, DataType::kF32));
  return std::vector<DataType>{DataType::kS64};
}

Types gathered(InputTypes in) {
  COCO_TRY(expect(in, 1, DataType::kS64));
  return std::vector<DataType>{type_at(in, 0)};
}
Types rule(const GatherParams&, InputTypes in) { return gathered(in); }
Types rule(const GatherElementsParams&, InputTypes in) { return gathered(in); }

Types rule(const ScatterNdParams& p, InputTypes in) {
  COCO_TRY(expect(in, 2, type_at(in, 0)));
  if (p.kind != ScatterKind::kSet) COCO_TRY(expect(in, 0, DataType::kF32));
  return gathered(in);
}

Types rule(const WhereParams&, InputTypes in) {
  COCO_TRY(expect(in, 0, DataType::kBool));
  COCO_ASSIGN(const DataType type, common(in, 1));
  return std::vector<DataType>{type};
}

Types rule(const CastParams& p, InputTypes in) {
  for (const DataType type : {type_at(in, 0), p.to}) {
    if (!is_arithmetic(type) && type != DataType::kBool) return type_error(0, type, "a type casts know");
    if (type == DataType::kF16) return type_error(0, type, "a type casts know");
  }
  return std::vector<DataType>{p.to};
}

Types recurrent(InputTypes in, size_t results) {
  for (size_t i = 0; i < in.size(); ++i) COCO_TRY(expect(in, i, i == 4 ? DataType::kS32 : DataType::kF32));
  return std::vector<DataType>(results, DataType::kF32);
}
Types rule(const LstmParams&, InputTypes in) { return recurrent(in, 3); }
Types rule(const GruParams&, InputTypes in) { return recurrent(in, 2); }

}  // namespace

Result<std::vector<DataType>> infer_types(const OpParams& params, std::span<const std::optional<DataType>> inputs) {
  return std::visit(
      [&](const auto& p) -> Types {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return shape_error("operator without a kind");
        } else {
          return rule(p, inputs);
        }
      },
      params);
}

}  // namespace coco::format
