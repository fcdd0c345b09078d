// Purpose: still pictures from PNG and JPEG files, and to PNG.
// Ownership: results own their samples.
// Threads: calls are independent.
// Failure: messages name the file and the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::cli {

/// Interleaved 8-bit samples without padding: 1 channel (grey) or 3 (RGB). Alpha is dropped on reading.
struct Image {
  int width = 0, height = 0, channels = 3;
  std::vector<uint8_t> data;
};

Result<Image> read_image(const std::string& path);
/// Complete or absent.
Status write_png(const std::string& path, const Image& image);
/// The .png, .jpg and .jpeg files of a folder, by name.
Result<std::vector<std::string>> list_images(const std::string& folder);

}  // namespace coco::cli
