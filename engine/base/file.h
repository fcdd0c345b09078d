// Purpose: whole-file writes that are complete or absent, and SHA-256.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "coco/status.h"

namespace coco {

/// Writes to a temporary file beside `path`, syncs it and renames it over `path`. On failure nothing is left behind and
/// the error (kIo) names the path and the system's reason.
Status write_file_atomically(const std::string& path, std::span<const uint8_t> bytes);

/// Lower-case hexadecimal SHA-256 (OpenSSL).
std::string sha256_hex(std::span<const uint8_t> bytes);

}  // namespace coco
