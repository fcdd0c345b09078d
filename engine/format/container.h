// Purpose: the fixed header of a .coco file and where its parts lie.
//   0  "COCO"            4  u32 version        8  u64 body bytes
//  16  u64 constants at  24  u64 constants' bytes   32  SHA-256 of everything from byte 64 on
//  64  FlatBuffers body (coco.fbs), zeros up to a multiple of 64, constants up to the end of the file
// Numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::format {

inline constexpr std::array<uint8_t, 4> kMagic{'C', 'O', 'C', 'O'};
inline constexpr uint32_t kFormatVersion = 2;  // 2: packed constants
inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kConstantAlignment = 64;

inline constexpr uint64_t align_constant(uint64_t offset) {
  return (offset + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
}

/// The parts of a file whose header and checksum are right; spans into the file's bytes.
struct Container {
  std::span<const uint8_t> body;
  std::span<const uint8_t> constants;
  std::string sha256;
};
/// kInvalidData naming what is wrong; kUnsupported for a newer version.
Result<Container> open_container(std::span<const uint8_t> file);

/// Writes the header over the first kHeaderBytes of a file whose other bytes are complete.
void seal_container(std::vector<uint8_t>& file, size_t body_bytes);

}  // namespace coco::format
