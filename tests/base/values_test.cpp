#include <algorithm>
#include <memory>

#include "catch.h"
#include "coco/buffer.h"
#include "coco/log.h"
#include "coco/status.h"
#include "coco/tensor.h"

using namespace coco;

namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return make_error(ErrorCode::kInvalidArgument, std::to_string(value) + " is odd");
  return value / 2;
}

Result<int> quarter(int value) {
  COCO_ASSIGN(const int once, half(value));
  COCO_ASSIGN(int twice, half(once));
  return twice;
}

Status check_even(int value) {
  COCO_TRY(half(value));
  return {};
}

}  // namespace

TEST_CASE("results carry values or errors") {
  CHECK(quarter(12).value() == 3);
  const Result<int> failed = quarter(6);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kInvalidArgument);
  CHECK(failed.error().message == "3 is odd");
  CHECK(std::string(failed.error().file).find("values_test.cpp") != std::string::npos);
  CHECK(failed.error().line > 0);
  CHECK(check_even(4).ok());
  CHECK_FALSE(check_even(5).ok());
  Result<std::unique_ptr<int>> owner = std::make_unique<int>(7);
  CHECK(*std::move(owner).value() == 7);
}

TEST_CASE("error codes have names of their own") {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    names.push_back(to_string(static_cast<ErrorCode>(i)));
    CHECK(names.back() != "unknown error");
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("log lines reach the sink by level") {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  set_log_level(LogLevel::kInfo);
  CHECK(log_enabled(LogLevel::kError));
  CHECK_FALSE(log_enabled(LogLevel::kDebug));
  log(LogLevel::kInfo, "one");
  log(LogLevel::kDebug, "two");
  log(LogLevel::kError, "three");
  set_log_sink({});
  set_log_level(LogLevel::kWarning);
  CHECK(lines == std::vector<std::string>{"one", "three"});
}

TEST_CASE("data types have sizes and names") {
  const std::vector<std::pair<DataType, size_t>> sizes{{DataType::kF32, 4}, {DataType::kF16, 2}, {DataType::kU8, 1},
                                                       {DataType::kS8, 1},  {DataType::kS32, 4}, {DataType::kS64, 8},
                                                       {DataType::kU16, 2}, {DataType::kBool, 1}};
  for (const auto& [type, size] : sizes) {
    CHECK(byte_size(type) == size);
    CHECK(data_type_from_string(to_string(type)) == type);
  }
  CHECK(to_string(DataType::kF32) == "f32");
  CHECK_FALSE(data_type_from_string("f64").has_value());
  CHECK(byte_size(static_cast<DataType>(200)) == 0);
  CHECK(to_string(static_cast<DataType>(200)).empty());
}

TEST_CASE("shape arithmetic never overflows") {
  constexpr int64_t kBig = int64_t{1} << 31;
  CHECK(Shape{2, 3, 4}.element_count() == 24);
  CHECK(Shape{}.element_count() == 1);
  CHECK(Shape{kBig, kBig}.element_count() == kBig * kBig);
  CHECK_FALSE(Shape({kBig, kBig, 2}).element_count().has_value());
  CHECK_FALSE(Shape({INT64_MAX, INT64_MAX, INT64_MAX}).element_count().has_value());
  CHECK(Shape{kBig, kBig, kBig, 0}.element_count() == 0);
  CHECK_FALSE(Shape({0, kDynamicDim}).element_count().has_value());
  CHECK_FALSE(Shape({-5, 2}).element_count().has_value());
  CHECK(Shape{0, 1}.is_static());
  CHECK_FALSE(Shape({1, kDynamicDim}).is_static());
  CHECK(Shape{1, 1, kDynamicDim, 5}.to_string() == "[1, 1, ?, 5]");
  CHECK(Shape{}.to_string() == "[]");
}

TEST_CASE("buffers are aligned, padded, zeroed and shared") {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{1000}}) {
    Result<Buffer> buffer = Buffer::allocate(size);
    REQUIRE(buffer.ok());
    CHECK(buffer->size() == size);
    CHECK(buffer->kind() == MemoryKind::kHost);
    CHECK(reinterpret_cast<uintptr_t>(buffer->data()) % kBufferAlignment == 0);
    const auto* bytes = static_cast<const uint8_t*>(buffer->data());
    CHECK(std::all_of(bytes, bytes + size + kReadPadding, [](uint8_t b) { return b == 0; }));
    CHECK(buffer->wait_ready().ok());
  }
  CHECK(Buffer::allocate(SIZE_MAX).error().code == ErrorCode::kResourceLimit);
  CHECK(Buffer::allocate(SIZE_MAX / 2).error().code == ErrorCode::kResourceLimit);
}

TEST_CASE("wrapped memory is released once, with the last reference") {
  int released = 0;
  char memory[8];
  {
    Buffer first = Buffer::wrap(memory, sizeof memory, [&] { ++released; });
    first.set_ready_fence([] { return Status(make_error(ErrorCode::kCancelled, "stopped")); });
    Buffer second = first;
    first = Buffer();
    CHECK_FALSE(static_cast<bool>(first));
    CHECK(first.data() == nullptr);
    CHECK(second.data() == memory);
    CHECK(second.wait_ready().error().code == ErrorCode::kCancelled);
    CHECK(released == 0);
  }
  CHECK(released == 1);
}

TEST_CASE("pixel formats have GStreamer's names") {
  const std::vector<std::tuple<PixelFormat, std::string, int, SampleType>> formats{
      {PixelFormat::kGray8, "GRAY8", 1, SampleType::kU8},
      {PixelFormat::kI420, "I420", 3, SampleType::kU8},
      {PixelFormat::kNv12, "NV12", 2, SampleType::kU8},
      {PixelFormat::kI420_10Le, "I420_10LE", 3, SampleType::kU16Lsb10},
      {PixelFormat::kP010_10Le, "P010_10LE", 2, SampleType::kU16Msb10}};
  for (const auto& [format, name, planes, sample] : formats) {
    CHECK(to_string(format) == name);
    CHECK(pixel_format_from_string(name) == format);
    CHECK(plane_count(format) == planes);
    CHECK(sample_type(format) == sample);
  }
  CHECK_FALSE(pixel_format_from_string("RGB").has_value());
  CHECK(byte_size(SampleType::kU8) == 1);
  CHECK(byte_size(SampleType::kU16Msb10) == 2);
  CHECK(byte_size(SampleType::kF32) == 4);
  CHECK(max_value(SampleType::kU8) == 255);
  CHECK(max_value(SampleType::kU16Lsb10) == 1023);
  CHECK(max_value(SampleType::kF32) == 1);
}
