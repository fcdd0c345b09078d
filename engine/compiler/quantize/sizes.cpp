#include "compiler/quantize/sizes.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace coco::compiler {
namespace {

/// Entry list: for every tile of 8 output channels, each (tap, 4 input channels) that some weight of it needs: 3
/// numbers of 32 bits and 8 words of 4 weights.
size_t entry_list_bytes(std::span<const int8_t> weights, const Shape& shape, size_t group) {
  constexpr size_t kTile = 8, kPlane = 4, kEntryBytes = 12 + kTile * kPlane;
  const auto channels = static_cast<size_t>(shape[0]), inputs = static_cast<size_t>(shape[1]);
  const auto taps = static_cast<size_t>(shape[2] * shape[3]);
  std::set<std::tuple<size_t, size_t, size_t>> entries;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    const size_t m = i / (inputs * taps), c = m / (channels / group) * inputs + i / taps % inputs;
    entries.emplace(m / kTile, i % taps, c / kPlane);
  }
  return entries.size() * kEntryBytes;
}

/// Compressed rows: a byte and a 16-bit column for every weight that is not 0, a 32-bit offset for every row.
size_t csr_bytes(std::span<const int8_t> weights, size_t rows) {
  const auto used = weights.size() - static_cast<size_t>(std::count(weights.begin(), weights.end(), 0));
  return used * 3 + (rows + 1) * 4;
}

}  // namespace

void set_sizes(const graph::Node& f32, const graph::Node* integer, QuantizedLayer& layer) {
  if (f32.input(1)->is_constant()) layer.bytes_f32 = f32.input(1)->constant().bytes.size();
  if (integer == nullptr) return;
  const graph::Value* weight = integer->input(1);
  const auto bytes = weight->constant().bytes;
  const std::span<const int8_t> weights(reinterpret_cast<const int8_t*>(bytes.data()), bytes.size());
  const auto group = static_cast<size_t>(integer->as<format::QuantConv2dParams>()->group);
  layer.bytes_entries = entry_list_bytes(weights, weight->shape(), group);
  layer.bytes_csr = csr_bytes(weights, static_cast<size_t>(weight->shape()[0]));
}

}  // namespace coco::compiler
