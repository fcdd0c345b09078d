// Purpose: refcounted memory (Buffer), and borrowed views of image planes and frames.
// Ownership: a Buffer is shared; its release callback runs once, when the last reference goes. Views borrow.
// Threads: reference counting is atomic; the bytes are the users' to synchronise.
// Failure: Buffer::allocate reports kResourceLimit; it never throws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "coco/export.h"
#include "coco/status.h"

namespace coco {

/// Alignment of every buffer cocopipe allocates, and the one it offers upstream: one cache line, one AVX-512 vector.
inline constexpr size_t kBufferAlignment = 64;
/// Bytes that may be read (never written) past the end of a buffer cocopipe allocates.
inline constexpr size_t kReadPadding = 64;

enum class MemoryKind : uint8_t { kHost, kDmabuf, kVulkan };

/// Refcounted memory. Copying a Buffer shares it.
class COCO_API Buffer {
 public:
  using Release = std::function<void()>;
  /// Waits until the contents may be read; empty when they are ready.
  using ReadyFence = std::function<Status()>;

  Buffer() = default;
  /// Host memory of `bytes`, aligned to kBufferAlignment with kReadPadding readable bytes behind it, zeroed.
  static Result<Buffer> allocate(size_t bytes);
  /// Wraps foreign host memory; `release` runs when the last reference goes.
  static Buffer wrap(void* data, size_t bytes, Release release);

  MemoryKind kind() const;
  size_t size() const;
  /// Host address; null for other kinds.
  void* data() const;
  explicit operator bool() const { return state_ != nullptr; }
  void set_ready_fence(ReadyFence fence);
  /// Blocks until ready. Returns at once when there is no fence.
  Status wait_ready() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Sample storage of a plane: width in bits and where they sit in the stored word.
enum class SampleType : uint8_t {
  kU8,        ///< one byte, 0..255
  kU16Lsb10,  ///< little-endian 16-bit word, value in the low 10 bits (I420_10LE), 0..1023
  kU16Msb10,  ///< little-endian 16-bit word, value in the high 10 bits (P010), 0..1023 after the shift
  kF32,       ///< float, nominal 0..1
};
/// Bytes of one sample.
COCO_API size_t byte_size(SampleType type);
/// Largest code value: 255, 1023; 1 for kF32.
COCO_API int max_value(SampleType type);

/// One plane of samples. `stride` is in bytes and may exceed or, for bottom-up pictures, be negative.
struct PlaneView {
  const void* data = nullptr;
  ptrdiff_t stride = 0;
  int width = 0;
  int height = 0;
  SampleType type = SampleType::kU8;
};
struct MutablePlaneView {
  void* data = nullptr;
  ptrdiff_t stride = 0;
  int width = 0;
  int height = 0;
  SampleType type = SampleType::kU8;
  operator PlaneView() const { return {data, stride, width, height, type}; }
};

/// Formats the tasks read and write directly. Names are GStreamer's.
enum class PixelFormat : uint8_t { kGray8, kI420, kNv12, kI420_10Le, kP010_10Le };
COCO_API std::string_view to_string(PixelFormat format);
COCO_API std::optional<PixelFormat> pixel_format_from_string(std::string_view name);
/// 1, 2 or 3.
COCO_API int plane_count(PixelFormat format);
COCO_API SampleType sample_type(PixelFormat format);

/// Where 4:2:0 chroma samples sit relative to luma (names as in ITU-T H.273): kLeft = MPEG-2/H.264 default,
/// kCenter = JPEG/MPEG-1, kTopLeft = BT.2020 / HEVC type 2.
enum class ChromaSite : uint8_t { kLeft, kCenter, kTopLeft };

/// A borrowed picture. Plane p holds rows of `stride[p]` bytes. Chroma planes of 4:2:0 formats are
/// ceil(width/2) x ceil(height/2); NV12 and P010 hold Cb and Cr interleaved in plane 1.
struct FrameView {
  PixelFormat format = PixelFormat::kI420;
  int width = 0;
  int height = 0;
  std::array<const void*, 3> data{};
  std::array<ptrdiff_t, 3> stride{};
};
struct MutableFrameView {
  PixelFormat format = PixelFormat::kI420;
  int width = 0;
  int height = 0;
  std::array<void*, 3> data{};
  std::array<ptrdiff_t, 3> stride{};
  operator FrameView() const { return {format, width, height, {data[0], data[1], data[2]}, stride}; }
};

}  // namespace coco
