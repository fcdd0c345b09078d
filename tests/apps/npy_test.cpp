#include "apps/cocopipe/npy.h"

#include <cstring>

#include "apps/program.h"
#include "catch.h"

using namespace coco;
using cli::NpyArray;

namespace {

std::vector<uint8_t> with_header(const std::string& header, const std::vector<uint8_t>& data, uint8_t major = 1) {
  std::vector<uint8_t> bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', major, 0};
  const size_t length = header.size();
  bytes.push_back(static_cast<uint8_t>(length & 0xff));
  bytes.push_back(static_cast<uint8_t>(length >> 8));
  if (major > 1) bytes.insert(bytes.end(), {0, 0});
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string dictionary(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

}  // namespace

TEST_CASE("npy: what is written is read back") {
  for (const DataType type : {DataType::kF32, DataType::kF16, DataType::kU8, DataType::kS8, DataType::kS32,
                              DataType::kS64, DataType::kU16, DataType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{1, 1, 4, 7}, Shape{0, 3}}) {
      NpyArray array{type, shape, std::vector<uint8_t>(static_cast<size_t>(*shape.element_count()) * byte_size(type))};
      for (size_t i = 0; i < array.bytes.size(); ++i) array.bytes[i] = static_cast<uint8_t>(i * 3 + 1);
      const auto bytes = cli::format_npy(array);
      REQUIRE(bytes.ok());
      CHECK((bytes->size() - array.bytes.size()) % 64 == 0);
      const auto back = cli::parse_npy(*bytes);
      REQUIRE(back.ok());
      CHECK(back->type == array.type);
      CHECK(back->shape == array.shape);
      CHECK(back->bytes == array.bytes);
    }
  }
}

TEST_CASE("npy: the header NumPy writes, other versions, doubles") {
  const std::vector<uint8_t> data = {0, 0, 128, 63, 0, 0, 0, 64};  // 1.0f, 2.0f
  for (const uint8_t version : {1, 2, 3}) {
    const auto array = cli::parse_npy(with_header(dictionary("<f4", "(2,)"), data, version));
    REQUIRE(array.ok());
    CHECK(array->shape == Shape{2});
    CHECK(array->bytes == data);
  }
  const double value = -1.5;
  std::vector<uint8_t> doubles(sizeof value);
  std::memcpy(doubles.data(), &value, sizeof value);
  const auto narrowed = cli::parse_npy(with_header(dictionary("<f8", "(1, 1)"), doubles));
  REQUIRE(narrowed.ok());
  CHECK(narrowed->type == DataType::kF32);
  float single = 0;
  std::memcpy(&single, narrowed->bytes.data(), sizeof single);
  CHECK(single == -1.5f);
}

TEST_CASE("npy: damaged and hostile files are refused") {
  const std::vector<uint8_t> four(4);
  const auto refused = [](const std::vector<uint8_t>& bytes) {
    const auto array = cli::parse_npy(bytes);
    return !array.ok() && array.error().code == ErrorCode::kInvalidData;
  };
  const std::vector<uint8_t> good = with_header(dictionary("<f4", "(1,)"), four);
  REQUIRE(cli::parse_npy(good).ok());
  for (size_t length = 0; length < good.size(); ++length) {
    INFO(length);
    CHECK(refused({good.begin(), good.begin() + static_cast<ptrdiff_t>(length)}));
  }
  CHECK(refused(with_header(dictionary("<f4", "(2,)"), four)));
  CHECK(refused(with_header(dictionary("<f4", "(4611686018427387904,)"), four)));
  CHECK(refused(with_header(dictionary("<f4", "(999999999999, 999999999999)"), four)));
  CHECK(refused(with_header(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), four)));
  CHECK(refused(with_header(dictionary("<f4", "(-1,)"), four)));
  CHECK(refused(with_header(dictionary("<f4", "(1"), four)));
  CHECK(refused(with_header(dictionary(">f4", "(1,)"), four)));
  CHECK(refused(with_header(dictionary("|O", "(1,)"), four)));
  CHECK(refused(with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", four)));
  CHECK(refused(with_header("{'descr': '<f4', 'shape': (1,)}", four)));
  CHECK(refused(with_header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four)));
  CHECK(refused(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", four)));
  CHECK(refused(with_header("{{{{{{{{", four)));
  CHECK(refused(with_header("", four)));
  std::vector<uint8_t> other_version = good;
  other_version[6] = 9;
  CHECK(refused(other_version));
}

TEST_CASE("npy: files") {
  const test::TemporaryFolder folder;
  const NpyArray array{DataType::kU8, Shape{2, 2}, {1, 2, 3, 4}};
  REQUIRE(cli::write_npy(folder / "a.npy", array).ok());
  const auto back = cli::read_npy(folder / "a.npy");
  REQUIRE(back.ok());
  CHECK(back->bytes == array.bytes);
  test::write_text(folder / "b.npy", "no array");
  const auto damaged = cli::read_npy(folder / "b.npy");
  REQUIRE(!damaged.ok());
  CHECK(damaged.error().message.find("b.npy") != std::string::npos);
  CHECK(!cli::read_npy(folder / "none.npy").ok());
}
