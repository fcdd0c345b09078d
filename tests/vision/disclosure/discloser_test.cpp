#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/random.h"
#include "catch.h"
#include "coco/disclosure.h"
#include "vision/disclosure/label_mask.h"

using namespace coco;
using namespace coco::vision;

namespace {

/// A picture with slopes, edges and grain that moves with time.
struct Clip {
  PixelFormat format;
  int width, height;
  std::vector<uint8_t> bytes;
  MutableFrameView view;

  Clip(PixelFormat f, int w, int h) : format(f), width(w), height(h) {
    const size_t sample = byte_size(sample_type(f)), cw = static_cast<size_t>(w + 1) / 2,
                 ch = static_cast<size_t>(h + 1) / 2;
    const size_t luma = static_cast<size_t>(w) * static_cast<size_t>(h) * sample;
    bytes.resize(luma + 2 * cw * ch * sample);
    view.format = f;
    view.width = w;
    view.height = h;
    view.data[0] = bytes.data();
    view.stride[0] = static_cast<ptrdiff_t>(static_cast<size_t>(w) * sample);
    const int planes = plane_count(f);
    if (planes >= 2) view.data[1] = bytes.data() + luma;
    view.stride[1] = static_cast<ptrdiff_t>(cw * sample * (planes == 2 ? 2 : 1));
    if (planes == 3) view.data[2] = bytes.data() + luma + cw * ch * sample;
    view.stride[2] = static_cast<ptrdiff_t>(cw * sample);
  }

  void fill(int frame) {
    const int shift = sample_type(format) == SampleType::kU16Msb10 ? 6 : 0,
              unit = sample_type(format) == SampleType::kU8 ? 1 : 4;
    Random random(static_cast<uint64_t>(frame) + 1);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int moved = x + 3 * frame;
        const double wave =
            60 * std::sin(0.013 * moved + 0.7 * std::sin(0.021 * y)) + 25 * std::sin(0.09 * (moved + y));
        const int edge = (moved / 90 + y / 70) % 2 == 0 ? 20 : -20;
        const int grain = static_cast<int>(random.below(9)) - 4;
        const int v = std::clamp(static_cast<int>(120 + wave) + edge + grain, 16, 235) * unit;
        if (unit == 1)
          static_cast<uint8_t*>(view.data[0])[y * view.stride[0] + x] = static_cast<uint8_t>(v);
        else
          reinterpret_cast<uint16_t*>(static_cast<uint8_t*>(view.data[0]) + y * view.stride[0])[x] =
              static_cast<uint16_t>(v << shift);
      }
    }
    const size_t luma = static_cast<size_t>(width) * static_cast<size_t>(height) * byte_size(sample_type(format));
    for (size_t i = luma; i + 1 < bytes.size(); i += 2) {
      if (unit == 1)
        bytes[i] = bytes[i + 1] = static_cast<uint8_t>(90 + i % 70);
      else
        *reinterpret_cast<uint16_t*>(&bytes[i]) = static_cast<uint16_t>((360 + i % 280) << shift);
    }
  }
  int luma(int x, int y) const {
    if (sample_type(format) == SampleType::kU8)
      return static_cast<const uint8_t*>(view.data[0])[y * view.stride[0] + x];
    return reinterpret_cast<const uint16_t*>(static_cast<const uint8_t*>(view.data[0]) + y * view.stride[0])[x];
  }
};

DiscloserConfig config_of(const Clip& clip) {
  DiscloserConfig config;
  config.format = clip.format;
  config.width = clip.width;
  config.height = clip.height;
  return config;
}

const MarkPayload kPayload{0xC0, 0x123456789Au};

int wrong_bits(uint64_t a, uint64_t b) { return __builtin_popcountll(a ^ b); }

}  // namespace

TEST_CASE("the label is due in full at the start, after each change and after a break, else as a mark") {
  LabelSchedule schedule;
  CHECK(schedule.next(0, false, "") == LabelKind::kNone);
  CHECK(schedule.next(1, true, "anna") == LabelKind::kFull);
  CHECK(schedule.next(3, true, "anna") == LabelKind::kFull);
  CHECK(schedule.next(3.6, true, "anna") == LabelKind::kCorner);
  CHECK(schedule.next(4, false, "") == LabelKind::kNone);
  CHECK(schedule.next(5, true, "anna") == LabelKind::kCorner);  // A short break.
  CHECK(schedule.next(6, true, "ben") == LabelKind::kFull);
  CHECK(schedule.next(7, false, "") == LabelKind::kFull);  // It stays for its time.
  CHECK(schedule.next(9, false, "") == LabelKind::kNone);
  CHECK(schedule.next(12, true, "ben") == LabelKind::kFull);  // A long break.
  CHECK(schedule.next(14.6, true, "ben") == LabelKind::kCorner);
  CHECK(schedule.next(2, true, "ben") == LabelKind::kFull);  // The stream was started again.
}

TEST_CASE("capitals are as high as asked, on a plate that leaves a border") {
  for (const int cap : {7, 20, 59, 119}) {
    const LabelMask mask = draw_label(cap);
    int first = mask.height, last = 0;
    // The first line's rows.
    for (int y = 0; y < mask.height * 45 / 100; ++y) {
      for (int x = 0; x < mask.width; ++x) {
        if (mask.letters[static_cast<size_t>(y * mask.width + x)] < 128) continue;
        first = std::min(first, y);
        last = std::max(last, y);
      }
    }
    INFO(cap);
    CHECK(last - first + 1 >= cap);
    CHECK(last - first + 1 <= cap * 6 / 5 + 2);
    CHECK(mask.letters[0] == 0);
    CHECK(mask.plate[static_cast<size_t>(mask.height / 2 * mask.width + mask.width / 2)] == 255);
    CHECK(mask.width % 2 == 0);
  }
}

TEST_CASE("labels on every format: letters light, plate dark, everything else as it was") {
  for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI420_10Le,
                                   PixelFormat::kP010_10Le}) {
    INFO(to_string(format));
    Clip clip(format, 427, 241);
    clip.fill(0);
    const std::vector<uint8_t> before = clip.bytes;
    auto discloser = Discloser::create(config_of(clip)).value();
    CHECK(discloser->process(clip.view, 0, false, "").value() == LabelKind::kNone);
    CHECK(clip.bytes == before);
    CHECK(discloser->process(clip.view, 1, true, "").value() == LabelKind::kFull);
    const int shift = format == PixelFormat::kP010_10Le ? 6 : 0, unit = sample_type(format) == SampleType::kU8 ? 1 : 4;
    int light = 0, changed_left = 0, left = clip.width, bottom = 0;
    Clip old(format, 427, 241);
    old.bytes = before;
    old.view.data[0] = old.bytes.data();
    for (int y = 0; y < clip.height; ++y) {
      for (int x = 0; x < clip.width; ++x) {
        if (clip.luma(x, y) == old.luma(x, y)) continue;
        left = std::min(left, x);
        bottom = std::max(bottom, y);
        light += (clip.luma(x, y) >> shift) > 220 * unit ? 1 : 0;
        changed_left += x < clip.width / 3 ? 1 : 0;
      }
    }
    CHECK(light > 200);
    CHECK(changed_left == 0);
    CHECK(bottom < clip.height / 3);
    // After its time only the smaller mark.
    clip.bytes = before;
    CHECK(discloser->process(clip.view, 3.7, true, "").value() == LabelKind::kCorner);
    int corner = 0;
    for (int y = 0; y < clip.height; ++y) {
      for (int x = 0; x < clip.width; ++x) corner += clip.luma(x, y) != old.luma(x, y) ? 1 : 0;
    }
    CHECK(corner > 100);
  }
}

TEST_CASE("the mark is found in every format, read without error, and hardly changes the picture") {
  for (const PixelFormat format :
       {PixelFormat::kGray8, PixelFormat::kNv12, PixelFormat::kI420_10Le, PixelFormat::kP010_10Le}) {
    INFO(to_string(format));
    Clip clip(format, 640, 360);
    DiscloserConfig config = config_of(clip);
    config.label = false;
    config.mark = kPayload;
    auto discloser = Discloser::create(config).value();
    auto detector = MarkDetector::create(format, 640, 360).value();
    double square = 0;
    for (int i = 0; i < 12; ++i) {
      clip.fill(i);
      Clip plain = clip;
      plain.view.data[0] = plain.bytes.data();
      CHECK(discloser->process(clip.view, i / 30.0, true, "").ok());
      CHECK(detector->add(clip.view).ok());
      if (i > 0) continue;
      const int shift = format == PixelFormat::kP010_10Le ? 6 : 0,
                unit = sample_type(format) == SampleType::kU8 ? 1 : 4;
      for (int y = 0; y < 360; ++y) {
        for (int x = 0; x < 640; ++x) {
          const double d = static_cast<double>((clip.luma(x, y) >> shift) - (plain.luma(x, y) >> shift)) / unit;
          square += d * d / (640.0 * 360);
        }
      }
    }
    const auto finding = detector->find();
    CHECK(finding.found);
    CHECK(finding.payload == kPayload);
    CHECK(finding.shown == 1);
    CHECK(10 * std::log10(255 * 255 / square) > 40);
  }
}

TEST_CASE("the mark survives half the size and a cut tenth; without a mark nothing is found") {
  Clip clip(PixelFormat::kGray8, 960, 540);
  DiscloserConfig config = config_of(clip);
  config.label = false;
  config.mark = kPayload;
  auto discloser = Discloser::create(config).value();
  auto small = MarkDetector::create(PixelFormat::kGray8, 480, 270).value();
  auto cut = MarkDetector::create(PixelFormat::kGray8, 864, 486).value();
  auto without = MarkDetector::create(PixelFormat::kGray8, 960, 540).value();
  Clip half(PixelFormat::kGray8, 480, 270);
  for (int i = 0; i < 16; ++i) {
    clip.fill(i);
    CHECK(without->add(clip.view).ok());
    CHECK(discloser->process(clip.view, i / 30.0, true, "").ok());
    for (int y = 0; y < 270; ++y) {
      for (int x = 0; x < 480; ++x) {
        const int sum = clip.luma(2 * x, 2 * y) + clip.luma(2 * x + 1, 2 * y) + clip.luma(2 * x, 2 * y + 1) +
                        clip.luma(2 * x + 1, 2 * y + 1);
        half.bytes[static_cast<size_t>(y * 480 + x)] = static_cast<uint8_t>((sum + 2) / 4);
      }
    }
    CHECK(small->add(half.view).ok());
    FrameView part = clip.view;
    part.width = 864;
    part.height = 486;
    part.data[0] = clip.bytes.data() + 31 * 960 + 57;
    CHECK(cut->add(part).ok());
  }
  CHECK(small->find().found);
  CHECK(small->find().payload == kPayload);
  const auto finding = cut->find();
  CHECK(finding.found);
  CHECK(finding.payload == kPayload);
  CHECK(finding.shown == Approx(0.9).margin(0.01));
  const auto nothing = without->find();
  CHECK_FALSE(nothing.found);
  CHECK(wrong_bits(nothing.bits, mark_bits(kPayload)) > 8);
}

TEST_CASE("what cannot be labelled is refused with a reason") {
  DiscloserConfig config;
  config.width = 8;
  config.height = 8;
  CHECK(Discloser::create(config).error().code == ErrorCode::kInvalidArgument);
  config.width = config.height = 64;
  config.mark_strength = NAN;
  CHECK_FALSE(Discloser::create(config).ok());
  config.mark_strength = 1;
  config.mark = MarkPayload{1, uint64_t{1} << 40};
  CHECK_FALSE(Discloser::create(config).ok());
  config.mark.reset();
  auto discloser = Discloser::create(config).value();
  Clip other(PixelFormat::kI420, 66, 64);
  CHECK_FALSE(discloser->process(other.view, 0, true, "").ok());
  CHECK_FALSE(MarkDetector::create(PixelFormat::kI420, 4000, 100).ok());
}
