// Purpose: NumPy's .npy files, read and written: dense little-endian arrays in C order.
// Ownership: arrays own their bytes.
// Threads: calls are independent.
// Failure: the reader trusts nothing; sizes are bounded by the file itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coco/status.h"
#include "coco/tensor.h"

namespace coco::cli {

struct NpyArray {
  DataType type = DataType::kF32;
  Shape shape;
  std::vector<uint8_t> bytes;
};

/// Reads .npy bytes, versions 1 to 3. Takes f2, f4, u1, i1, i4, i8, u2 and bool; f8 is converted to f4.
Result<NpyArray> parse_npy(std::span<const uint8_t> bytes);
Result<std::vector<uint8_t>> format_npy(const NpyArray& array);

/// The same from and to a file; messages start with its path.
Result<NpyArray> read_npy(const std::string& path);
Status write_npy(const std::string& path, const NpyArray& array);

}  // namespace coco::cli
