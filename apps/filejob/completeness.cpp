#include "apps/filejob/completeness.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace coco::filejob {
namespace {

constexpr uint32_t kEbmlHeader = 0x1A45DFA3, kSegment = 0x18538067;

bool has_name(const AVInputFormat& format, std::string_view name) {
  const std::string_view names = format.name;
  return names.find(name) != std::string_view::npos;
}

// The end of the last sample of any stream, as the index tells it.
int64_t index_end(const AVFormatContext& format) {
  int64_t end = 0;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    AVStream* stream = format.streams[i];
    const int count = avformat_index_get_entries_count(stream);
    for (int k = 0; k < count; ++k) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream, k);
      end = std::max(end, entry->pos + entry->size);
    }
  }
  return end;
}

// Matroska's head: an element is an id (4 bytes in both that matter here) and a size whose first byte's leading zeros
// tell how many bytes follow; a size of ones alone means "unknown".
struct EbmlReader {
  const uint8_t* bytes;
  size_t size;
  size_t at = 0;

  bool element(uint32_t id, int64_t& length) {
    if (at + 5 > size) return false;
    uint32_t found = 0;
    for (int i = 0; i < 4; ++i) found = found << 8 | bytes[at + static_cast<size_t>(i)];
    const uint8_t first = bytes[at + 4];
    if (found != id || first == 0) return false;
    int extra = 0;
    while ((first & (0x80 >> extra)) == 0) ++extra;
    if (at + 5 + static_cast<size_t>(extra) > size) return false;
    uint64_t value = first & (0x7Fu >> extra), unknown = 0x7Fu >> extra;
    for (int i = 1; i <= extra; ++i) {
      value = value << 8 | bytes[at + 4 + static_cast<size_t>(i)];
      unknown = unknown << 8 | 0xFF;
    }
    at += 5 + static_cast<size_t>(extra);
    length = static_cast<int64_t>(value);
    return value != unknown;
  }
};

}  // namespace

int64_t matroska_end(const uint8_t* bytes, size_t size) {
  EbmlReader reader{bytes, size};
  int64_t length = 0;
  if (!reader.element(kEbmlHeader, length) || length > static_cast<int64_t>(size - reader.at)) return 0;
  reader.at += static_cast<size_t>(length);
  return reader.element(kSegment, length) ? static_cast<int64_t>(reader.at) + length : 0;
}

FileExtent file_extent(const AVFormatContext& format, const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  FileExtent extent{0, static_cast<int64_t>(info.st_size)};
  if (has_name(*format.iformat, "mp4")) {
    extent.stated = index_end(format);
  } else if (has_name(*format.iformat, "matroska")) {
    std::array<uint8_t, 4096> head{};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(head.size()));
    extent.stated = matroska_end(head.data(), static_cast<size_t>(file.gcount()));
  }
  return extent;
}

}  // namespace coco::filejob
