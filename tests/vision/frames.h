// Purpose: frames of the vision tests: planes in larger blocks of memory that hold a canary, any stride.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "coco/buffer.h"

namespace coco::vision {

inline constexpr PixelFormat kAllFormats[] = {PixelFormat::kGray8, PixelFormat::kI420, PixelFormat::kNv12,
                                              PixelFormat::kI420_10Le, PixelFormat::kP010_10Le};

struct Layout {
  int extra_bytes = 0;  ///< of every row, behind the samples
  bool bottom_up = false;
};

class TestFrame {
 public:
  static constexpr uint8_t kCanary = 0x5a;

  TestFrame(PixelFormat format, int width, int height, Layout layout = {})
      : format_(format), width_(width), height_(height) {
    for (int p = 0; p < plane_count(format); ++p) {
      Plane plane;
      plane.components = p > 0 && plane_count(format) == 2 ? 2 : 1;
      plane.width = p == 0 ? width : (width + 1) / 2;
      plane.height = p == 0 ? height : (height + 1) / 2;
      const int pitch = plane.width * plane.components * sample_bytes() + layout.extra_bytes;
      plane.bytes.assign(static_cast<size_t>(pitch) * static_cast<size_t>(plane.height + 2), kCanary);
      plane.stride = layout.bottom_up ? -pitch : pitch;
      plane.top = static_cast<ptrdiff_t>(pitch) * (layout.bottom_up ? plane.height : 1);
      planes_.push_back(std::move(plane));
    }
  }

  MutableFrameView view() {
    MutableFrameView view;
    view.format = format_;
    view.width = width_;
    view.height = height_;
    for (size_t p = 0; p < planes_.size(); ++p) {
      view.data[p] = planes_[p].bytes.data() + planes_[p].top;
      view.stride[p] = planes_[p].stride;
    }
    return view;
  }

  /// Channels: 0 luma, 1 Cb, 2 Cr.
  int channels() const { return format_ == PixelFormat::kGray8 ? 1 : 3; }
  int width(int channel) const { return channel == 0 ? width_ : (width_ + 1) / 2; }
  int height(int channel) const { return channel == 0 ? height_ : (height_ + 1) / 2; }
  int get(int channel, int x, int y) const {
    uint16_t word = 0;
    std::memcpy(&word, const_cast<TestFrame*>(this)->at(channel, x, y), static_cast<size_t>(sample_bytes()));
    return sample_type(format_) == SampleType::kU16Msb10 ? word >> 6 : word;
  }
  void set(int channel, int x, int y, int value) {
    const auto word = static_cast<uint16_t>(sample_type(format_) == SampleType::kU16Msb10 ? value << 6 : value);
    std::memcpy(at(channel, x, y), &word, static_cast<size_t>(sample_bytes()));
  }

  void fill(const std::function<int(int channel, int x, int y)>& value) {
    for (int c = 0; c < channels(); ++c) {
      for (int y = 0; y < height(c); ++y) {
        for (int x = 0; x < width(c); ++x) set(c, x, y, value(c, x, y));
      }
    }
  }
  void fill_random(uint32_t seed) {
    std::mt19937 random(seed);
    const auto codes = static_cast<uint32_t>(max_value(sample_type(format_))) + 1;
    fill([&](int, int, int) { return static_cast<int>(random() % codes); });
  }
  /// All samples, channel by channel.
  std::vector<int> values(int only_channel = -1) const {
    std::vector<int> out;
    for (int c = 0; c < channels(); ++c) {
      if (only_channel >= 0 && c != only_channel) continue;
      for (int y = 0; y < height(c); ++y) {
        for (int x = 0; x < width(c); ++x) out.push_back(get(c, x, y));
      }
    }
    return out;
  }
  /// Nothing outside the samples was written.
  bool canary_intact() const {
    for (const Plane& plane : planes_) {
      std::vector<uint8_t> copy = plane.bytes;
      for (int y = 0; y < plane.height; ++y) {
        std::memset(copy.data() + plane.top + y * plane.stride, kCanary,
                    static_cast<size_t>(plane.width * plane.components * sample_bytes()));
      }
      for (const uint8_t byte : copy) {
        if (byte != kCanary) return false;
      }
    }
    return true;
  }

 private:
  struct Plane {
    int components = 1, width = 0, height = 0;
    std::vector<uint8_t> bytes;
    ptrdiff_t stride = 0, top = 0;
  };

  int sample_bytes() const { return static_cast<int>(byte_size(sample_type(format_))); }
  uint8_t* at(int channel, int x, int y) {
    const bool interleaved = channel > 0 && planes_.size() == 2;
    Plane& plane = planes_[interleaved ? 1 : static_cast<size_t>(channel)];
    const int sample = interleaved ? 2 * x + channel - 1 : x;
    return plane.bytes.data() + plane.top + y * plane.stride + sample * sample_bytes();
  }

  PixelFormat format_;
  int width_, height_;
  std::vector<Plane> planes_;
};

}  // namespace coco::vision
