#include "apps/filejob/completeness.h"

#include <vector>

#include "catch.h"

using coco::filejob::matroska_end;

namespace {

// An EBML header of `header` bytes, then a segment whose size field is `segment_size`.
std::vector<uint8_t> head(uint8_t header, const std::vector<uint8_t>& segment_size) {
  std::vector<uint8_t> bytes = {0x1A, 0x45, 0xDF, 0xA3, static_cast<uint8_t>(0x80 | header)};
  bytes.resize(bytes.size() + header, 0xEE);
  bytes.insert(bytes.end(), {0x18, 0x53, 0x80, 0x67});
  bytes.insert(bytes.end(), segment_size.begin(), segment_size.end());
  return bytes;
}

int64_t end_of(const std::vector<uint8_t>& bytes) { return matroska_end(bytes.data(), bytes.size()); }

}  // namespace

TEST_CASE("where a Matroska file says it ends") {
  CHECK(end_of(head(3, {0x81})) == 13 + 1);
  CHECK(end_of(head(3, {0x42, 0x00})) == 14 + 512);
  CHECK(end_of(head(10, {0x01, 0, 0, 0, 0x01, 0, 0, 0x02})) == 27 + (1 << 24) + 2);
  CHECK(end_of(head(0, {0x80})) == 10);
}

TEST_CASE("a Matroska file that does not say where it ends") {
  CHECK(end_of(head(3, {0xFF})) == 0);
  CHECK(end_of(head(3, {0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})) == 0);
  CHECK(end_of(head(3, {0x00})) == 0);  // no valid size field
  std::vector<uint8_t> other = head(3, {0x81});
  other[8] = 0x19;
  CHECK(end_of(other) == 0);
  const std::vector<uint8_t> whole = head(3, {0x42, 0x00});
  for (size_t size = 0; size < whole.size(); ++size) CHECK(matroska_end(whole.data(), size) == 0);
}
