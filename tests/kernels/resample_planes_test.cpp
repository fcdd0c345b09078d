#include <algorithm>

#include "catch.h"
#include "kernels/resample/planes.h"
#include "tests/kernels/resample_support.h"

namespace coco::kernels {
namespace {

using Kernel = void (*)(const PlaneJob&, int, int, void*) noexcept;

struct Size {
  int in_w, in_h, out_w, out_h;
};

// Resamples `in` into `out`, rows [0, cuts[0]), [cuts[0], cuts[1]), ... each as a call of its own.
void resample(TestPlane& in, TestPlane& out, SampleType type, int components, const FilterTable& horizontal,
              const FilterTable& vertical, Kernel kernel, std::vector<int> cuts = {}) {
  PlaneJob job;
  job.horizontal = &horizontal;
  job.vertical = &vertical;
  job.type = type;
  job.components = components;
  job.in = in.data();
  job.in_stride = in.stride();
  job.out = out.data();
  job.out_stride = out.stride();
  std::vector<uint8_t> memory(resample_scratch_bytes(horizontal, components) + kResampleScratchAlignment, 0x5a);
  void* scratch = memory.data();
  size_t room = memory.size();
  std::align(kResampleScratchAlignment, memory.size() - kResampleScratchAlignment, scratch, room);
  cuts.push_back(out.rows());
  int from = 0;
  for (const int to : cuts) {
    kernel(job, from, to, scratch);
    from = to;
  }
}

const SampleType kTypes[] = {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10};
const Size kOddSizes[] = {{1, 1, 1, 1},     {1, 1, 5, 3},    {2, 3, 4, 6},      {3, 2, 6, 4},     {15, 3, 30, 6},
                          {16, 4, 32, 8},   {17, 5, 34, 10}, {33, 4, 66, 8},    {70, 6, 140, 12}, {129, 3, 258, 6},
                          {15, 9, 17, 11},  {33, 17, 16, 5}, {100, 8, 133, 11}, {133, 8, 100, 6}, {64, 9, 21, 3},
                          {200, 7, 390, 9}, {300, 4, 37, 2}, {40, 5, 333, 41},  {97, 7, 97, 7}};

}  // namespace

TEST_CASE("vector planes equal the reference on every target", "[resample]") {
  for_each_target([] {
    uint32_t seed = 1;
    for (const SampleType type : kTypes) {
      for (const int components : {1, 2}) {
        for (const Size& size : kOddSizes) {
          for (const int siting : {0, -1}) {
            INFO(size.in_w << "x" << size.in_h << " -> " << size.out_w << "x" << size.out_h << ", type "
                           << static_cast<int>(type) << ", components " << components << ", siting " << siting);
            const FilterTable horizontal = make_filter(axis(size.in_w, size.out_w, siting));
            const FilterTable vertical = make_filter(axis(size.in_h, size.out_h, siting));
            TestPlane in(size.in_w * components, size.in_h, type, 6, seed % 2 == 0);
            in.fill_random(seed++);
            TestPlane expected(size.out_w * components, size.out_h, type, 10, false);
            TestPlane actual(size.out_w * components, size.out_h, type, 34, seed % 3 == 0);
            resample(in, expected, type, components, horizontal, vertical, resample_plane_ref);
            resample(in, actual, type, components, horizontal, vertical, resample_plane);
            CHECK(actual.values() == expected.values());
            CHECK(actual.canary_intact());
            CHECK(expected.canary_intact());
          }
        }
      }
    }
  });
}

TEST_CASE("lanczos planes equal the reference on every target", "[resample]") {
  for_each_target([] {
    for (const Size& size : {Size{50, 9, 100, 18}, Size{90, 9, 61, 5}}) {
      FilterSpec h = axis(size.in_w, size.out_w), v = axis(size.in_h, size.out_h);
      h.kernel = v.kernel = ResampleKernel::kLanczos3;
      const FilterTable horizontal = make_filter(h), vertical = make_filter(v);
      TestPlane in(size.in_w, size.in_h, SampleType::kU8, 0, false);
      in.fill_random(7);
      TestPlane expected(size.out_w, size.out_h, SampleType::kU8, 0, false);
      TestPlane actual(size.out_w, size.out_h, SampleType::kU8, 0, false);
      resample(in, expected, SampleType::kU8, 1, horizontal, vertical, resample_plane_ref);
      resample(in, actual, SampleType::kU8, 1, horizontal, vertical, resample_plane);
      CHECK(actual.values() == expected.values());
    }
  });
}

TEST_CASE("the reference is the stated formula", "[resample]") {
  const FilterTable horizontal = make_filter(axis(9, 14, -1)), vertical = make_filter(axis(6, 11));
  TestPlane in(9, 6, SampleType::kU16Lsb10, 0, false), out(14, 11, SampleType::kU16Lsb10, 0, false);
  in.fill_random(3);
  resample(in, out, SampleType::kU16Lsb10, 1, horizontal, vertical, resample_plane_ref);
  for (int y = 0; y < 11; ++y) {
    std::vector<int64_t> t(9);
    for (int x = 0; x < 9; ++x) {
      int64_t sum = 0;
      for (int k = 0; k < vertical.taps; ++k) {
        sum += int64_t{vertical.fixed[y * vertical.taps + k]} * in.get(x, vertical.first[y] + k);
      }
      t[x] = (sum + (1 << 9)) >> 10;
    }
    for (int i = 0; i < 14; ++i) {
      int64_t sum = 0;
      for (int k = 0; k < horizontal.taps; ++k) {
        sum += int64_t{horizontal.fixed[i * horizontal.taps + k]} * t[horizontal.first[i] + k];
      }
      CHECK(out.get(i, y) == std::clamp<int64_t>((sum + (1 << 17)) >> 18, 0, 1023));
    }
  }
}

TEST_CASE("any cut of the rows gives the same bytes", "[resample]") {
  const FilterTable horizontal = make_filter(axis(70, 140, -1)), vertical = make_filter(axis(21, 42));
  TestPlane in(140, 21, SampleType::kU8, 0, false), whole(280, 42, SampleType::kU8, 0, false);
  in.fill_random(11);
  resample(in, whole, SampleType::kU8, 2, horizontal, vertical, resample_plane);
  for (const std::vector<int>& cuts :
       {std::vector<int>{1, 2, 3, 40, 41}, std::vector<int>{21}, std::vector<int>{7, 7}}) {
    TestPlane cut(280, 42, SampleType::kU8, 0, false);
    resample(in, cut, SampleType::kU8, 2, horizontal, vertical, resample_plane, cuts);
    CHECK(cut.values() == whole.values());
  }
}

TEST_CASE("constant planes stay constant, every value", "[resample]") {
  for (const Size& size : {Size{9, 5, 18, 10}, Size{40, 5, 53, 7}, Size{53, 9, 40, 4}, Size{1, 1, 3, 3}}) {
    const FilterTable horizontal = make_filter(axis(size.in_w, size.out_w, -1));
    const FilterTable vertical = make_filter(axis(size.in_h, size.out_h));
    for (const SampleType type : kTypes) {
      for (int value = 0; value <= max_value(type); ++value) {
        TestPlane in(size.in_w, size.in_h, type, 0, false), out(size.out_w, size.out_h, type, 0, false);
        for (int y = 0; y < size.in_h; ++y) {
          for (int x = 0; x < size.in_w; ++x) in.set(x, y, value);
        }
        resample(in, out, type, 1, horizontal, vertical, resample_plane);
        const std::vector<int> values = out.values();
        const bool constant = std::all_of(values.begin(), values.end(), [&](int v) { return v == value; });
        if (!constant) FAIL("value " << value << " of type " << static_cast<int>(type) << " changed");
      }
    }
  }
}

TEST_CASE("interleaved planes equal separate planes", "[resample]") {
  const FilterTable horizontal = make_filter(axis(45, 90, -1)), vertical = make_filter(axis(8, 16));
  for (const SampleType type : kTypes) {
    TestPlane cb(45, 8, type, 0, false), cr(45, 8, type, 0, false), both(90, 8, type, 0, false);
    cb.fill_random(1);
    cr.fill_random(2);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 45; ++x) both.set(2 * x, y, cb.get(x, y)), both.set(2 * x + 1, y, cr.get(x, y));
    }
    TestPlane out_cb(90, 16, type, 0, false), out_cr(90, 16, type, 0, false), out(180, 16, type, 0, false);
    resample(cb, out_cb, type, 1, horizontal, vertical, resample_plane);
    resample(cr, out_cr, type, 1, horizontal, vertical, resample_plane);
    resample(both, out, type, 2, horizontal, vertical, resample_plane);
    bool equal = true;
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 90; ++x) {
        equal = equal && out.get(2 * x, y) == out_cb.get(x, y) && out.get(2 * x + 1, y) == out_cr.get(x, y);
      }
    }
    CHECK(equal);
  }
}

TEST_CASE("10-bit planes follow 8-bit planes scaled by four", "[resample]") {
  const FilterTable horizontal = make_filter(axis(60, 80, -1)), vertical = make_filter(axis(20, 27));
  TestPlane in8(60, 20, SampleType::kU8, 0, false), out8(80, 27, SampleType::kU8, 0, false);
  TestPlane in10(60, 20, SampleType::kU16Lsb10, 0, false), out10(80, 27, SampleType::kU16Lsb10, 0, false);
  TestPlane in_high(60, 20, SampleType::kU16Msb10, 0, false), out_high(80, 27, SampleType::kU16Msb10, 0, false);
  in8.fill_random(5);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 60; ++x) in10.set(x, y, in8.get(x, y) * 4), in_high.set(x, y, in8.get(x, y) * 4);
  }
  resample(in8, out8, SampleType::kU8, 1, horizontal, vertical, resample_plane);
  resample(in10, out10, SampleType::kU16Lsb10, 1, horizontal, vertical, resample_plane);
  resample(in_high, out_high, SampleType::kU16Msb10, 1, horizontal, vertical, resample_plane);
  CHECK(out_high.values() == out10.values());
  // Half an 8-bit step of rounding, and up to three codes where the 10-bit clamp sits above 255 * 4.
  int worst = 0;
  for (int y = 0; y < 27; ++y) {
    for (int x = 0; x < 80; ++x) worst = std::max(worst, std::abs(out10.get(x, y) - 4 * out8.get(x, y)));
  }
  CHECK(worst <= 3);
}

TEST_CASE("a ramp keeps its slope and phase through the planes", "[resample]") {
  // 10-bit ramp of 8 codes a sample; interior outputs are the ramp at x(i), within the rounding of one code.
  for (const int siting : {0, -1}) {
    for (const int out_w : {120, 80}) {
      const FilterTable horizontal = make_filter(axis(60, out_w, siting)), vertical = make_filter(axis(4, 4));
      TestPlane in(60, 4, SampleType::kU16Lsb10, 0, false), out(out_w, 4, SampleType::kU16Lsb10, 0, false);
      for (int y = 0; y < 4; ++y) {
        for (int x = 0; x < 60; ++x) in.set(x, y, 100 + 8 * x);
      }
      resample(in, out, SampleType::kU16Lsb10, 1, horizontal, vertical, resample_plane);
      for (int i = 6; i < out_w - 6; ++i) {
        const double x = (i + 0.5 + siting / 4.0) * 60 / out_w - 0.5 - siting / 4.0;
        CHECK(out.get(i, 2) == Approx(100 + 8 * x).margin(0.51));
      }
    }
  }
}

}  // namespace coco::kernels
