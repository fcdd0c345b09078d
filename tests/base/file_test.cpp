#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mapped_file.h"
#include "catch.h"
#include "tests/base/temp_dir.h"

using namespace coco;
using coco::testing::TempDir;

namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string read_back(const std::string& path) {
  const auto file = MappedFile::open(path, 1 << 20);
  REQUIRE(file.ok());
  const auto bytes = file.value()->bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("SHA-256 of the standard's examples") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("files are written whole and replaced whole") {
  TempDir folder;
  const std::string path = folder / "out.bin";
  REQUIRE(write_file_atomically(path, bytes_of("first")).ok());
  CHECK(read_back(path) == "first");
  REQUIRE(write_file_atomically(path, bytes_of("second, longer")).ok());
  CHECK(read_back(path) == "second, longer");
  REQUIRE(write_file_atomically(path, {}).ok());
  CHECK(read_back(path).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("a write that fails leaves nothing and names the path") {
  TempDir folder;
  const Status no_folder = write_file_atomically(folder / "missing/out.bin", bytes_of("x"));
  REQUIRE_FALSE(no_folder.ok());
  CHECK(no_folder.error().code == ErrorCode::kIo);
  CHECK(no_folder.error().message.find("missing/out.bin") != std::string::npos);

  std::filesystem::create_directory(folder.path / "dir");
  const Status onto_folder = write_file_atomically(folder / "dir", bytes_of("x"));
  REQUIRE_FALSE(onto_folder.ok());
  CHECK(onto_folder.error().message.find("a directory") != std::string::npos);

  const Status device = write_file_atomically("/dev/full", bytes_of("x"));
  CHECK_FALSE(device.ok());
  CHECK(folder.entries() == 1);
}

TEST_CASE("mapping refuses what is not a file") {
  TempDir folder;
  folder.put("empty", "");
  folder.put("ten", "0123456789");
  CHECK(read_back(folder / "empty").empty());
  CHECK(read_back(folder / "ten") == "0123456789");
  const auto code = [](const std::string& path, size_t most) {
    const auto file = MappedFile::open(path, most);
    REQUIRE_FALSE(file.ok());
    CHECK(file.error().message.find(path) != std::string::npos);
    return file.error().code;
  };
  CHECK(code(folder / "absent", 100) == ErrorCode::kNotFound);
  CHECK(code(folder / "ten/below", 100) == ErrorCode::kNotFound);
  CHECK(code(folder.path.string(), 100) == ErrorCode::kInvalidArgument);
  CHECK(code(folder / "ten", 9) == ErrorCode::kResourceLimit);
  CHECK(MappedFile::open(folder / "ten", 10).ok());
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(code(folder / "pipe", 100) == ErrorCode::kInvalidArgument);
}

TEST_CASE("a mapping outlives its file") {
  TempDir folder;
  folder.put("ten", "0123456789");
  const auto file = MappedFile::open(folder / "ten", 10);
  REQUIRE(file.ok());
  std::filesystem::remove(folder.path / "ten");
  CHECK(file.value()->bytes()[9] == '9');
}
