// Writes the seeds of the .coco fuzz target into a folder: the programs of the format tests, and files that are broken
// as files break.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "format/container.h"
#include "tests/format/programs.h"

namespace {

using namespace coco::format;

constexpr size_t kVersionAt = 4, kBodyBytesAt = 8, kConstantsAt = 16;

/// The file with another number in its header.
template <typename T>
std::vector<uint8_t> with(std::vector<uint8_t> file, size_t at, T number) {
  std::memcpy(file.data() + at, &number, sizeof number);
  return file;
}

/// A convolution whose sums could pass 2^24, in a file that is right otherwise: every weight, bias and scale is
/// 0x7f7f...
std::vector<uint8_t> overflowing(std::vector<uint8_t> file) {
  uint64_t body = 0, constants = 0;
  std::memcpy(&body, file.data() + kBodyBytesAt, sizeof body);
  std::memcpy(&constants, file.data() + kConstantsAt, sizeof constants);
  std::fill(file.begin() + static_cast<ptrdiff_t>(constants), file.end(), uint8_t{0x7f});
  seal_container(file, body);
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& name, const std::vector<uint8_t>& bytes) {
    if (coco::write_file_atomically(folder + "/" + name, bytes).ok()) return;
    std::fprintf(stderr, "cannot write the seed %s\n", name.c_str());
    std::exit(1);
  };
  const std::pair<const char*, Program> seeds[] = {{"small", testing::small_network()},
                                                   {"packed", testing::packed_network()},
                                                   {"every_operator", testing::every_operator()}};
  for (const auto& [name, program] : seeds) {
    const auto good = write_program(program);
    if (!good.ok()) return 1;
    const std::string stem = name;
    write(stem + ".coco", *good);
    write(stem + "-newer.coco", with(*good, kVersionAt, kFormatVersion + 7));
    write(stem + "-huge-body.coco", with(*good, kBodyBytesAt, uint64_t{1} << 40));
    write(stem + "-constants-outside.coco", with(*good, kConstantsAt, UINT64_MAX - 63));
    write(stem + "-checksum.coco", with(*good, kHeaderBytes - 1, static_cast<uint8_t>((*good)[kHeaderBytes - 1] ^ 1)));
    write(stem + "-half.coco", {good->begin(), good->begin() + static_cast<ptrdiff_t>(good->size() / 2)});
    write(stem + "-header-alone.coco", {good->begin(), good->begin() + kHeaderBytes});
    write(stem + "-overflow.coco", overflowing(*good));
  }
  return 0;
}
