// Purpose: a file mapped read-only into memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "coco/status.h"

namespace coco {

/// Maps a regular file; the mapping lives as long as the object. Empty files map to an empty span. Not a regular file,
/// missing or unreadable: kNotFound / kInvalidArgument / kIo naming the path. `max_bytes` refuses larger files.
class MappedFile {
 public:
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path, size_t max_bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  const uint8_t* data_;
  size_t size_;
};

}  // namespace coco
