#include "format/packing.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/half.h"
#include "catch.h"

using namespace coco;
using namespace coco::format;

TEST_CASE("every half goes to f32 and back") {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float value = half_to_float(static_cast<uint16_t>(h));
    const uint32_t exponent = h >> 10 & 31, mantissa = h & 1023;
    const float size = exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                      : std::ldexp(static_cast<float>(mantissa + (exponent == 0 ? 0 : 1024)),
                                                   std::max<int>(static_cast<int>(exponent), 1) - 25);
    if (std::isnan(size) ? !std::isnan(value) : std::fabs(value) != size) FAIL("half " << h);
    if (std::signbit(value) != (h >> 15 != 0)) FAIL("sign of half " << h);
    const uint16_t back = float_to_half(value);
    if (std::isnan(value) ? !std::isnan(half_to_float(back)) : back != h)
      FAIL("half " << h << " came back as " << back);
  }
}

TEST_CASE("f32 goes to the nearest half, ties to even") {
  for (uint32_t h = 0; h < 0x7bff; ++h) {
    const float low = half_to_float(static_cast<uint16_t>(h)), high = half_to_float(static_cast<uint16_t>(h + 1));
    const float middle = low + (high - low) / 2;
    const uint32_t even = h % 2 == 0 ? h : h + 1;
    if (float_to_half(middle) != even || float_to_half(-middle) != (even | 0x8000)) FAIL("tie above half " << h);
    if (float_to_half(std::nextafter(middle, low)) != h) FAIL("below the tie above half " << h);
    if (float_to_half(std::nextafter(middle, high)) != h + 1) FAIL("above the tie above half " << h);
  }
  CHECK(float_to_half(std::nextafter(65520.f, 0.f)) == 0x7bff);
  CHECK(float_to_half(65520.f) == 0x7c00);
  CHECK(float_to_half(std::numeric_limits<float>::max()) == 0x7c00);
  CHECK(float_to_half(1e-30f) == 0);
}

namespace {

std::vector<uint8_t> as_bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

void check_round_trip(DataType type, const Shape& shape, const std::vector<uint8_t>& bytes) {
  const std::vector<uint8_t> packed = pack_constant(type, shape, bytes);
  CHECK(packed_bytes(type, shape, bytes) == (packed.empty() ? bytes.size() : packed.size()));
  if (packed.empty()) return;
  const Result<Buffer> back = unpack_constant(type, shape, packed);
  REQUIRE(back.ok());
  REQUIRE(back->size() == bytes.size());
  CHECK(std::memcmp(back->data(), bytes.data(), bytes.size()) == 0);
}

}  // namespace

TEST_CASE("constants of any shape and sparsity come back byte for byte") {
  std::mt19937 random(5);
  size_t packed = 0;
  for (int round = 0; round < 400; ++round) {
    const auto dim = [&random](uint32_t most) { return static_cast<int64_t>(1 + random() % most); };
    const Shape shape = round % 5 == 0 ? Shape{dim(40), dim(40)} : Shape{dim(40), dim(20), dim(4), dim(4)};
    const auto count = static_cast<size_t>(shape.element_count().value());
    const uint32_t used = random() % 101;
    std::vector<uint8_t> bytes;
    const DataType type = round % 2 == 0 ? DataType::kS8 : DataType::kF32;
    const bool by_block = round % 3 != 0, halves = round % 4 == 1;
    for (size_t i = 0; i < count; ++i) {
      const auto taps = static_cast<size_t>(count) / static_cast<size_t>(shape[0] * shape[1]);
      const size_t o = i / taps / static_cast<size_t>(shape[1]), c = i / taps % static_cast<size_t>(shape[1]);
      const size_t block = by_block ? (o / 8 * 7919 + c / 4 * 104729 + i % taps * 1299709) % 101 : random() % 101;
      float value = block < used ? static_cast<float>(random() % 4001) / 16.f - 125.f : 0.f;
      if (!halves) value *= 1.1f;
      const auto raw = std::bit_cast<std::array<uint8_t, 4>>(value);
      if (type == DataType::kF32) {
        bytes.insert(bytes.end(), raw.begin(), raw.end());
      } else {
        bytes.push_back(static_cast<uint8_t>(static_cast<int8_t>(std::lrint(value / 2))));
      }
    }
    INFO("round " << round << " " << shape.to_string());
    check_round_trip(type, shape, bytes);
    packed += pack_constant(type, shape, bytes).empty() ? 0 : 1;
  }
  CHECK(packed > 250);
}

TEST_CASE("values that only bits tell apart from 0 and from halves are kept") {
  std::vector<float> values(256, 0.f);
  values[7] = -0.f;
  values[200] = std::numeric_limits<float>::denorm_min();
  const std::vector<uint8_t> bytes = as_bytes(values);
  check_round_trip(DataType::kF32, Shape{16, 16}, bytes);
  values[200] = std::bit_cast<float>(0x7fc12345u);
  check_round_trip(DataType::kF32, Shape{16, 16}, as_bytes(values));
}

TEST_CASE("a packed constant cannot grow without bound") {
  const Shape shape{512, 512, 3, 3};
  const std::vector<uint8_t> zeros(512 * 512 * 9);
  const std::vector<uint8_t> packed = pack_constant(DataType::kS8, shape, zeros);
  CHECK(packed.size() >= zeros.size() / kMaxUnpacking);
  check_round_trip(DataType::kS8, shape, zeros);
  std::vector<uint8_t> bomb(4 + 512 * 512 * 9 / (255 * 255) + 100);
  bomb[0] = bomb[1] = 255;
  CHECK_FALSE(unpack_constant(DataType::kS8, shape, bomb).ok());
}

TEST_CASE("heads that mean nothing are refused") {
  std::vector<uint8_t> bytes(16 * 16 * 9);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = i % 9 < 3 ? 1 : 0;
  const Shape shape{16, 16, 3, 3};
  const std::vector<uint8_t> good = pack_constant(DataType::kS8, shape, bytes);
  REQUIRE_FALSE(good.empty());
  for (size_t at = 0; at < 4; ++at) {
    std::vector<uint8_t> packed = good;
    packed[at] = at < 2 ? 0 : 2;
    CHECK_FALSE(unpack_constant(DataType::kS8, shape, packed).ok());
  }
  std::vector<uint8_t> packed = good;
  packed[2] = 1;  // halves
  CHECK_FALSE(unpack_constant(DataType::kS8, shape, packed).ok());
  for (size_t length = 0; length < good.size(); ++length) {
    if (unpack_constant(DataType::kS8, shape, std::span(good).first(length)).ok()) FAIL("cut to " << length);
  }
  packed = good;
  packed.push_back(0);
  CHECK_FALSE(unpack_constant(DataType::kS8, shape, packed).ok());
}
