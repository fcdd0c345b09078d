// Purpose: how constants lie in a .coco file: weights as the blocks that pruning left, f32 that halves can hold as
// halves. Lossless; what is read back has the same bytes.
//
// A packed constant of shape [outputs, inputs, taps...]:
//   u8 block outputs, u8 block inputs, u8 element form (0: as in memory, 1: f32 as f16), u8 0
//   a bit for every block (lowest first; blocks counted by tile of outputs, then tap, then group of inputs), whole
//   bytes the elements of the blocks whose bit is set, in that order; in a block outputs, then inputs; none beyond the
//   edges
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coco/buffer.h"
#include "coco/status.h"
#include "coco/tensor.h"

namespace coco::format {

enum class Packing : uint8_t { kNone = 0, kBlocks = 1 };

/// A packed constant may not grow beyond this many times its size in the file.
inline constexpr size_t kMaxUnpacking = 64;

/// The smallest packed form of a constant; empty when none makes the file smaller. `bytes` fits type and shape.
std::vector<uint8_t> pack_constant(DataType type, const Shape& shape, std::span<const uint8_t> bytes);

/// Bytes of the constant in the file.
size_t packed_bytes(DataType type, const Shape& shape, std::span<const uint8_t> bytes);

/// The constant's elements. kInvalidData saying what is wrong with `packed`, which may hold anything.
Result<Buffer> unpack_constant(DataType type, const Shape& shape, std::span<const uint8_t> packed);

}  // namespace coco::format
