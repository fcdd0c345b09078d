// Purpose: whether a video file is all there, told before hours are spent on half of it.
// Ownership: nothing is kept. Threads: pure functions of their arguments.
// Failure: a container that does not say how long it is counts as complete.
#pragma once

#include <cstdint>
#include <string>

#include "apps/filejob/av.h"

namespace coco::filejob {

struct FileExtent {
  int64_t stated = 0;  ///< bytes the container says the file has at least; 0: it does not say
  int64_t present = 0;
  bool is_cut() const { return stated > present; }
};

/// The extent of an opened regular file: MP4 and QuickTime by their index, Matroska and WebM by their segment.
FileExtent file_extent(const AVFormatContext& format, const std::string& path);

/// Where the segment of a Matroska file ends, read from the file's first bytes; 0 when that is not stated.
int64_t matroska_end(const uint8_t* bytes, size_t size);

}  // namespace coco::filejob
