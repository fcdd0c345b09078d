// Purpose: helpers of the resampling tests: planes with canaries, random samples, every target of the machine.
#pragma once

#include "kernels/qconv/targets.h"

#include <hwy/targets.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "catch.h"
#include "coco/buffer.h"
#include "kernels/resample/filter.h"
#include "kernels/resample/planes.h"

namespace coco::kernels {

/// Runs fn once per Highway target this machine has and the kernels are compiled for, then restores the usual choice.
template <typename Fn>
void for_each_target(const Fn& fn) {
  const int64_t all = hwy::SupportedTargets() & HWY_TARGETS;
  for (int64_t left = all; left != 0; left &= left - 1) {
    const int64_t target = left & -left;
    INFO("target " << hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    fn();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// A plane of samples in a larger block of memory; the rest of the block holds a canary.
class TestPlane {
 public:
  static constexpr uint8_t kCanary = 0xa5;

  TestPlane(int samples, int rows, SampleType type, int extra_bytes, bool bottom_up)
      : type_(type), samples_(samples), rows_(rows) {
    const int pitch = samples * static_cast<int>(byte_size(type)) + extra_bytes;
    bytes_.assign(static_cast<size_t>(pitch) * static_cast<size_t>(rows + 2), kCanary);
    stride_ = bottom_up ? -pitch : pitch;
    top_ = bytes_.data() + (bottom_up ? static_cast<ptrdiff_t>(pitch) * rows : pitch);
  }

  uint8_t* data() { return top_; }
  ptrdiff_t stride() const { return stride_; }
  int samples() const { return samples_; }
  int rows() const { return rows_; }

  int get(int x, int y) const {
    const uint8_t* row = top_ + y * stride_;
    if (type_ == SampleType::kU8) return row[x];
    uint16_t word;
    std::memcpy(&word, row + 2 * x, 2);
    return type_ == SampleType::kU16Msb10 ? word >> 6 : word;
  }
  void set(int x, int y, int value) {
    uint8_t* row = top_ + y * stride_;
    if (type_ == SampleType::kU8) {
      row[x] = static_cast<uint8_t>(value);
    } else {
      const auto word = static_cast<uint16_t>(type_ == SampleType::kU16Msb10 ? value << 6 : value);
      std::memcpy(row + 2 * x, &word, 2);
    }
  }
  void fill_random(uint32_t seed) {
    std::mt19937 random(seed);
    const auto limit = static_cast<uint32_t>(max_value(type_)) + 1;
    for (int y = 0; y < rows_; ++y) {
      // Runs of extremes as well as noise: overshoot must meet the clamps.
      for (int x = 0; x < samples_; ++x) {
        const uint32_t r = random();
        set(x, y, static_cast<int>(r % 4 == 0 ? 0 : r % 4 == 1 ? limit - 1 : (r >> 8) % limit));
      }
    }
  }
  /// Every byte outside the samples still holds the canary.
  bool canary_intact() const {
    std::vector<uint8_t> copy = bytes_;
    const auto width = static_cast<size_t>(samples_) * byte_size(type_);
    for (int y = 0; y < rows_; ++y) {
      std::memset(copy.data() + (top_ - bytes_.data()) + y * stride_, kCanary, width);
    }
    for (const uint8_t byte : copy) {
      if (byte != kCanary) return false;
    }
    return true;
  }
  std::vector<int> values() const {
    std::vector<int> out;
    for (int y = 0; y < rows_; ++y) {
      for (int x = 0; x < samples_; ++x) out.push_back(get(x, y));
    }
    return out;
  }

 private:
  SampleType type_;
  int samples_, rows_;
  std::vector<uint8_t> bytes_;
  ptrdiff_t stride_ = 0;
  uint8_t* top_ = nullptr;
};

inline FilterSpec axis(int in, int out, int siting = 0) {
  FilterSpec spec;
  spec.in = in;
  spec.out = out;
  spec.in_siting = spec.out_siting = siting;
  return spec;
}

}  // namespace coco::kernels
