// Element types of operators' results.
#include <string>

#include "format/program.h"
#include "format/shape_rules.h"

namespace coco::format {
namespace {

using InputTypes = std::span<const std::optional<DataType>>;

Status expect(InputTypes in, size_t slot, DataType type) {
  if (slot >= in.size() || !in[slot] || *in[slot] == type) return {};
  return shape_error("input " + std::to_string(slot) + " is " + std::string(to_string(*in[slot])) + ", not " +
                     std::string(to_string(type)));
}

Result<DataType> quant_conv_type(const QuantConv2dParams& p, InputTypes in) {
  constexpr DataType kTypes[] = {DataType::kU8, DataType::kS8, DataType::kS32, DataType::kF32, DataType::kF32};
  for (size_t i = 0; i < std::size(kTypes); ++i) COCO_TRY(expect(in, i, kTypes[i]));
  return p.dequantize ? DataType::kF32 : DataType::kU8;
}

Result<DataType> dequantize_type(InputTypes in) {
  const bool integer =
      !in.empty() && in[0] && (*in[0] == DataType::kU8 || *in[0] == DataType::kS8 || *in[0] == DataType::kS32);
  if (!integer) return shape_error("input 0 is not u8, s8 or s32");
  COCO_TRY(expect(in, 1, DataType::kF32));
  COCO_TRY(expect(in, 2, DataType::kS32));
  return DataType::kF32;
}

}  // namespace

Result<DataType> infer_type(const OpParams& params, InputTypes inputs) {
  if (const auto* conv = std::get_if<QuantConv2dParams>(&params)) return quant_conv_type(*conv, inputs);
  if (std::holds_alternative<DequantizeParams>(params)) return dequantize_type(inputs);
  if (std::holds_alternative<QuantizeParams>(params)) {
    COCO_TRY(expect(inputs, 0, DataType::kF32));
    return DataType::kU8;
  }
  std::optional<DataType> first;
  for (const std::optional<DataType>& type : inputs) {
    if (!type) continue;
    if (!first) first = type;
    if (*type != *first) {
      return shape_error("mixes inputs of types " + std::string(to_string(*first)) + " and " +
                         std::string(to_string(*type)));
    }
  }
  return first.value_or(DataType::kF32);
}

}  // namespace coco::format
