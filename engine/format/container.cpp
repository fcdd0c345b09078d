#include "format/container.h"

#include <algorithm>

#include "base/file.h"
#include "format/program.h"

namespace coco::format {
namespace {

constexpr size_t kVersionAt = 4, kBodySizeAt = 8, kConstantsAt = 16, kConstantsSizeAt = 24, kChecksumAt = 32;

Error damaged(std::string message, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  message += "; copy or compile it anew";
  return make_error(ErrorCode::kInvalidData, std::move(message), file, line);
}

uint64_t read_number(std::span<const uint8_t> file, size_t at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= uint64_t{file[at + i]} << (8 * i);
  return value;
}

void write_number(std::span<uint8_t> file, size_t at, size_t bytes, uint64_t value) {
  for (size_t i = 0; i < bytes; ++i) file[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

uint8_t hex_value(char digit) { return static_cast<uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

std::array<uint8_t, 32> digest_bytes(const std::string& hex) {
  std::array<uint8_t, 32> digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
  }
  return digest;
}

Status check_start(std::span<const uint8_t> file) {
  if (file.empty()) return damaged("not a .coco model: the file is empty");
  if (file.size() < kMagic.size() || !std::equal(kMagic.begin(), kMagic.end(), file.begin())) {
    return damaged("not a .coco model: it does not start with \"COCO\"");
  }
  if (file.size() < kBodySizeAt) return damaged("truncated .coco model: the header is cut off");
  const uint64_t version = read_number(file, kVersionAt, 4);
  if (version > kFormatVersion) {
    return make_error(ErrorCode::kUnsupported, "the .coco model has format version " + std::to_string(version) +
                                                   ", this build reads up to version " +
                                                   std::to_string(kFormatVersion) + "; use a newer cocopipe");
  }
  if (version == 0) return damaged("damaged .coco model: format version 0");
  if (file.size() < kHeaderBytes) return damaged("truncated .coco model: the header is cut off");
  if (file.size() > Limits::kMaxFileBytes) return damaged("the .coco model is larger than 1 GiB");
  return {};
}

}  // namespace

Result<Container> open_container(std::span<const uint8_t> file) {
  COCO_TRY(check_start(file));
  const uint64_t size = file.size();
  const uint64_t body = read_number(file, kBodySizeAt, 8);
  const uint64_t constants_at = read_number(file, kConstantsAt, 8);
  const uint64_t constants = read_number(file, kConstantsSizeAt, 8);
  // Each number is held against the limit before it enters a sum.
  if (body > Limits::kMaxFileBytes || constants > Limits::kMaxFileBytes ||
      constants_at != align_constant(kHeaderBytes + body)) {
    return damaged("damaged .coco model: its header's sizes make no sense");
  }
  if (constants_at + constants != size) {
    return damaged((constants_at + constants > size ? "truncated" : "damaged") + std::string(" .coco model: ") +
                   std::to_string(constants_at + constants) + " bytes are declared, the file has " +
                   std::to_string(size));
  }
  Container parts;
  parts.sha256 = sha256_hex(file.subspan(kHeaderBytes));
  const std::array<uint8_t, 32> digest = digest_bytes(parts.sha256);
  if (!std::equal(digest.begin(), digest.end(), file.begin() + kChecksumAt)) {
    return damaged("damaged .coco model: its checksum is wrong");
  }
  parts.body = file.subspan(kHeaderBytes, body);
  parts.constants = file.subspan(constants_at);
  return parts;
}

void seal_container(std::vector<uint8_t>& file, size_t body_bytes) {
  const uint64_t constants_at = align_constant(kHeaderBytes + body_bytes);
  std::copy(kMagic.begin(), kMagic.end(), file.begin());
  write_number(file, kVersionAt, 4, kFormatVersion);
  write_number(file, kBodySizeAt, 8, body_bytes);
  write_number(file, kConstantsAt, 8, constants_at);
  write_number(file, kConstantsSizeAt, 8, file.size() - constants_at);
  const auto digest = digest_bytes(sha256_hex(std::span<const uint8_t>(file).subspan(kHeaderBytes)));
  std::copy(digest.begin(), digest.end(), file.begin() + kChecksumAt);
}

}  // namespace coco::format
