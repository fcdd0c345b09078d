#include "coco/buffer.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

namespace coco {

struct Buffer::State {
  MemoryKind kind = MemoryKind::kHost;
  void* data = nullptr;
  size_t size = 0;
  Release release;
  ReadyFence fence;

  ~State() {
    if (release) release();
  }
};

Result<Buffer> Buffer::allocate(size_t bytes) {
  const auto refused = [bytes] {
    return make_error(ErrorCode::kResourceLimit,
                      "cannot allocate " + std::to_string(bytes) + " bytes; use smaller frames or free memory");
  };
  // The largest object C++ pointers can span; malloc refuses these too, but sanitizers stop the process instead.
  constexpr size_t kMost = static_cast<size_t>(std::numeric_limits<ptrdiff_t>::max()) - 2 * kBufferAlignment;
  if (bytes > kMost - kReadPadding) return refused();
  const size_t total = (bytes + kReadPadding + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  void* memory = std::aligned_alloc(kBufferAlignment, total);
  if (memory == nullptr) return refused();
  std::memset(memory, 0, total);
  try {
    return wrap(memory, bytes, [memory] { std::free(memory); });
  } catch (const std::bad_alloc&) {
    std::free(memory);
    return refused();
  }
}

Buffer Buffer::wrap(void* data, size_t bytes, Release release) {
  Buffer buffer;
  buffer.state_ = std::make_shared<State>();
  buffer.state_->data = data;
  buffer.state_->size = bytes;
  buffer.state_->release = std::move(release);
  return buffer;
}

MemoryKind Buffer::kind() const { return state_ ? state_->kind : MemoryKind::kHost; }

size_t Buffer::size() const { return state_ ? state_->size : 0; }

void* Buffer::data() const { return state_ ? state_->data : nullptr; }

void Buffer::set_ready_fence(ReadyFence fence) {
  COCO_CHECK(state_ != nullptr, "set_ready_fence on an empty Buffer");
  state_->fence = std::move(fence);
}

Status Buffer::wait_ready() const {
  if (!state_ || !state_->fence) return {};
  return state_->fence();
}

size_t byte_size(SampleType type) {
  switch (type) {
    case SampleType::kU8:
      return 1;
    case SampleType::kU16Lsb10:
    case SampleType::kU16Msb10:
      return 2;
    case SampleType::kF32:
      return 4;
  }
  return 0;
}

int max_value(SampleType type) {
  switch (type) {
    case SampleType::kU8:
      return 255;
    case SampleType::kU16Lsb10:
    case SampleType::kU16Msb10:
      return 1023;
    case SampleType::kF32:
      return 1;
  }
  return 0;
}

namespace {

struct FormatRow {
  std::string_view name;
  int planes;
  SampleType sample;
};

// Indexed by the enumerator's value.
constexpr std::array<FormatRow, 5> kFormats{{
    {"GRAY8", 1, SampleType::kU8},
    {"I420", 3, SampleType::kU8},
    {"NV12", 2, SampleType::kU8},
    {"I420_10LE", 3, SampleType::kU16Lsb10},
    {"P010_10LE", 2, SampleType::kU16Msb10},
}};

const FormatRow& row_of(PixelFormat format) { return kFormats[static_cast<size_t>(format)]; }

}  // namespace

std::string_view to_string(PixelFormat format) { return row_of(format).name; }

std::optional<PixelFormat> pixel_format_from_string(std::string_view name) {
  for (size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i].name == name) return static_cast<PixelFormat>(i);
  }
  return std::nullopt;
}

int plane_count(PixelFormat format) { return row_of(format).planes; }

SampleType sample_type(PixelFormat format) { return row_of(format).sample; }

}  // namespace coco
