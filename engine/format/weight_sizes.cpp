#include "format/weight_sizes.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unordered_set>

#include "format/packing.h"

namespace coco::format {
namespace {

/// Elements that are not 0: of s8, or of f32 (where -0 counts as 0).
size_t count_nonzero(const Value& weight) {
  const auto bytes = weight.constant.bytes;
  if (weight.type == DataType::kS8) {
    return bytes.size() - static_cast<size_t>(std::count(bytes.begin(), bytes.end(), 0));
  }
  size_t nonzero = 0;
  for (size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
    float v;
    std::memcpy(&v, bytes.data() + i, sizeof v);
    nonzero += v != 0 ? 1 : 0;
  }
  return nonzero;
}

}  // namespace

size_t csr_bytes(size_t nonzero, size_t rows, size_t columns) {
  return nonzero * (4 + (columns > 65536 ? 4 : 2)) + (rows + 1) * 4;
}

WeightSizes weight_sizes(const Program& program) {
  WeightSizes sizes;
  std::unordered_set<int32_t> seen;
  for (const Operator& op : program.operators) {
    if (op.kind() != OpKind::kConv2d && op.kind() != OpKind::kQuantConv2d) continue;
    const Value& weight = program.values[static_cast<size_t>(op.inputs[1])];
    if (!weight.is_constant()) continue;
    for (size_t slot = 1; slot < op.inputs.size(); ++slot) {
      const int32_t number = op.inputs[slot];
      if (number == kNoValue || !seen.insert(number).second) continue;
      const Value& value = program.values[static_cast<size_t>(number)];
      sizes.file += packed_bytes(value.type, value.shape, value.constant.bytes);
      if (slot != 1) continue;
      const size_t elements = value.constant.bytes.size() / byte_size(value.type), nonzero = count_nonzero(value);
      const auto rows = static_cast<size_t>(value.shape[0]);
      sizes.elements += elements;
      sizes.zeros += elements - nonzero;
      sizes.dense_f32 += 4 * elements;
      sizes.csr_f32 += csr_bytes(nonzero, rows, rows == 0 ? 0 : elements / rows);
    }
  }
  return sizes;
}

std::string to_text(const WeightSizes& sizes) {
  char text[160];
  const double share = sizes.elements == 0 ? 0 : 100.0 * static_cast<double>(sizes.zeros) / double(sizes.elements);
  std::snprintf(text, sizeof(text),
                "%zu, %.1f %% of them 0; %zu bytes dense in f32, %zu as CSR in f32, %zu in the file", sizes.elements,
                share, sizes.dense_f32, sizes.csr_f32, sizes.file);
  return text;
}

}  // namespace coco::format
