#include "format/packing.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/half.h"
#include "format/container.h"
#include "format/program.h"

namespace coco::format {
namespace {

constexpr size_t kHeadBytes = 4;

struct Block {
  uint8_t outputs, inputs;
};
// What the kernels prune: tiles of 8 and 4 outputs by words of 4 inputs, by single inputs in f32; and single weights.
constexpr std::array kBlocks = {Block{8, 4}, Block{4, 4}, Block{8, 1}, Block{4, 1}, Block{1, 1}};

/// [outputs, inputs, taps] elements in blocks.
struct Grid {
  size_t outputs, inputs, taps;
  Block block;

  Grid(const Shape& shape, Block b) : outputs(1), inputs(1), taps(1), block(b) {
    const auto dim = [&shape](size_t i) { return static_cast<size_t>(shape[i]); };
    if (shape.rank() > 0) outputs = dim(0);
    if (shape.rank() > 1) inputs = dim(1);
    for (size_t i = 2; i < shape.rank(); ++i) taps *= dim(i);
  }

  size_t tiles() const { return (outputs + block.outputs - 1) / block.outputs; }
  size_t groups() const { return (inputs + block.inputs - 1) / block.inputs; }
  size_t blocks() const { return tiles() * taps * groups(); }
  size_t bitmap_bytes() const { return (blocks() + 7) / 8; }

  /// fn(element number) for every element of block `b`, in the file's order.
  template <typename F>
  void each_element(size_t b, F fn) const {
    const size_t group = b % groups(), tap = b / groups() % taps, tile = b / groups() / taps;
    const size_t last_o = std::min(outputs, (tile + 1) * block.outputs);
    const size_t last_i = std::min(inputs, (group + 1) * block.inputs);
    for (size_t o = tile * block.outputs; o < last_o; ++o) {
      for (size_t i = group * block.inputs; i < last_i; ++i) fn((o * inputs + i) * taps + tap);
    }
  }
};

bool all_halves(std::span<const uint8_t> bytes) {
  for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + i, sizeof value);
    const float back = half_to_float(float_to_half(value));
    if (std::memcmp(&back, &value, sizeof value) != 0) return false;
  }
  return true;
}

std::vector<uint8_t> pack(const Grid& grid, size_t element, bool half, std::span<const uint8_t> bytes) {
  std::vector<uint8_t> packed = {grid.block.outputs, grid.block.inputs, static_cast<uint8_t>(half), 0};
  packed.resize(kHeadBytes + grid.bitmap_bytes());
  for (size_t b = 0; b < grid.blocks(); ++b) {
    bool used = false;
    grid.each_element(b, [&](size_t e) {
      const auto one = bytes.subspan(e * element, element);
      used = used || std::any_of(one.begin(), one.end(), [](uint8_t byte) { return byte != 0; });
    });
    if (!used) continue;
    packed[kHeadBytes + b / 8] = static_cast<uint8_t>(packed[kHeadBytes + b / 8] | 1u << b % 8);
    grid.each_element(b, [&](size_t e) {
      const auto one = bytes.subspan(e * element, element);
      if (!half) {
        packed.insert(packed.end(), one.begin(), one.end());
        return;
      }
      float value;
      std::memcpy(&value, one.data(), sizeof value);
      const uint16_t small = float_to_half(value);
      packed.push_back(static_cast<uint8_t>(small));
      packed.push_back(static_cast<uint8_t>(small >> 8));
    });
  }
  return packed;
}

Error wrong(const char* message) { return make_error(ErrorCode::kInvalidData, message); }

/// The grid a packed constant's head names, after holding every number of it against what is there.
Result<Grid> read_grid(DataType type, const Shape& shape, std::span<const uint8_t> packed) {
  const std::optional<int64_t> count = shape.element_count();
  if (!count || *count > Limits::kMaxElements) return wrong("has no bounded shape");
  const size_t bytes = static_cast<size_t>(*count) * byte_size(type);
  if (packed.size() < kHeadBytes || bytes / kMaxUnpacking > packed.size()) return wrong("is packed too small");
  const Block block{packed[0], packed[1]};
  if (block.outputs == 0 || block.inputs == 0) return wrong("has blocks without elements");
  if (packed[2] > 1 || packed[3] != 0) {
    return make_error(ErrorCode::kUnsupported, "is packed in a form unknown to this build; use a newer cocopipe");
  }
  if (packed[2] == 1 && type != DataType::kF32) return wrong("holds halves but is not f32");
  const Grid grid(shape, block);
  if (*count == 0 || grid.bitmap_bytes() > packed.size() - kHeadBytes) return wrong("is packed too small");
  return grid;
}

}  // namespace

std::vector<uint8_t> pack_constant(DataType type, const Shape& shape, std::span<const uint8_t> bytes) {
  std::vector<uint8_t> best;
  if (bytes.empty()) return best;
  const bool half = type == DataType::kF32 && all_halves(bytes);
  for (const Block block : kBlocks) {
    std::vector<uint8_t> packed = pack(Grid(shape, block), byte_size(type), half, bytes);
    // What does not shrink by a whole aligned piece stays as it is and is used in place.
    const bool allowed =
        align_constant(packed.size()) < align_constant(bytes.size()) && bytes.size() / kMaxUnpacking <= packed.size();
    if (allowed && (best.empty() || packed.size() < best.size())) best = std::move(packed);
  }
  return best;
}

size_t packed_bytes(DataType type, const Shape& shape, std::span<const uint8_t> bytes) {
  const size_t packed = pack_constant(type, shape, bytes).size();
  return packed == 0 ? bytes.size() : packed;
}

Result<Buffer> unpack_constant(DataType type, const Shape& shape, std::span<const uint8_t> packed) {
  COCO_ASSIGN(const Grid grid, read_grid(type, shape, packed));
  const bool half = packed[2] == 1;
  const size_t element = byte_size(type), stored = half ? 2 : element;
  COCO_ASSIGN(Buffer buffer, Buffer::allocate(grid.outputs * grid.inputs * grid.taps * element));
  auto* out = static_cast<uint8_t*>(buffer.data());  // zeroed
  const auto bitmap = packed.subspan(kHeadBytes, grid.bitmap_bytes());
  auto rest = packed.subspan(kHeadBytes + bitmap.size());
  bool enough = true;
  for (size_t b = 0; b < grid.blocks() && enough; ++b) {
    if ((bitmap[b / 8] >> b % 8 & 1) == 0) continue;
    grid.each_element(b, [&](size_t e) {
      enough = enough && rest.size() >= stored;
      if (!enough) return;
      if (half) {
        const float value = half_to_float(static_cast<uint16_t>(rest[0] | rest[1] << 8));
        std::memcpy(out + e * element, &value, sizeof value);
      } else {
        std::memcpy(out + e * element, rest.data(), element);
      }
      rest = rest.subspan(stored);
    });
  }
  if (!enough || !rest.empty()) return wrong("holds another number of weights than its blocks have");
  return buffer;
}

}  // namespace coco::format
