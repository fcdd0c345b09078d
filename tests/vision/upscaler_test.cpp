#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>

#include "catch.h"
#include "coco/vision.h"
#include "runtime/networks.h"
#include "tests/vision/frames.h"

namespace {
std::atomic<long> allocations{0};
}

// Counts every allocation of the program, so that a test can show that process() makes none.
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace coco::vision {
namespace {

struct Geometry {
  int in_w, in_h, out_w, out_h;
};

UpscalerConfig config_of(PixelFormat format, const Geometry& g, int threads = 2) {
  UpscalerConfig config;
  config.format = format;
  config.in_width = g.in_w;
  config.in_height = g.in_h;
  config.out_width = g.out_w;
  config.out_height = g.out_h;
  config.session.threads = threads;
  return config;
}

std::unique_ptr<Upscaler> make(const UpscalerConfig& config, std::shared_ptr<const Model> model = nullptr) {
  auto upscaler = Upscaler::create(std::move(model), config);
  if (!upscaler.ok()) FAIL(upscaler.error().message);
  return std::move(upscaler).value();
}

void process(Upscaler& upscaler, TestFrame& in, TestFrame& out) {
  const Status status = upscaler.process(in.view(), out.view());
  if (!status.ok()) FAIL(status.error().message);
}

const Geometry kGeometries[] = {{1, 1, 2, 2},     {1, 1, 1, 1},     {2, 3, 4, 6},     {3, 2, 7, 5},    {15, 16, 30, 32},
                                {16, 17, 33, 34}, {17, 15, 34, 30}, {33, 33, 66, 66}, {33, 9, 17, 5},  {64, 36, 96, 54},
                                {64, 36, 20, 12}, {50, 20, 75, 20}, {50, 20, 50, 40}, {70, 41, 35, 82}};

}  // namespace

TEST_CASE("every format, size and stride: constant frames stay constant, nothing else is written", "[vision]") {
  for (const PixelFormat format : kAllFormats) {
    for (const Geometry& g : kGeometries) {
      for (const Layout layout : {Layout{0, false}, Layout{22, false}, Layout{6, true}}) {
        INFO(to_string(format) << " " << g.in_w << "x" << g.in_h << " -> " << g.out_w << "x" << g.out_h << " stride +"
                               << layout.extra_bytes << (layout.bottom_up ? " bottom up" : ""));
        TestFrame in(format, g.in_w, g.in_h, layout), out(format, g.out_w, g.out_h, layout);
        in.fill([](int channel, int, int) { return 40 + 90 * channel; });
        process(*make(config_of(format, g)), in, out);
        bool constant = true;
        for (int c = 0; c < out.channels(); ++c) {
          for (const int value : out.values(c)) constant = constant && value == 40 + 90 * c;
        }
        CHECK(constant);
        CHECK(out.canary_intact());
        CHECK(in.canary_intact());
      }
    }
  }
}

TEST_CASE("strides, threads and repeated calls do not change the result", "[vision]") {
  for (const PixelFormat format : kAllFormats) {
    for (const Geometry& g : {Geometry{65, 43, 130, 86}, Geometry{90, 50, 121, 77}, Geometry{90, 50, 41, 27}}) {
      INFO(to_string(format) << " " << g.out_w << "x" << g.out_h);
      TestFrame in(format, g.in_w, g.in_h), expected(format, g.out_w, g.out_h);
      in.fill_random(4);
      process(*make(config_of(format, g, 1)), in, expected);
      for (const int threads : {1, 3}) {
        const auto upscaler = make(config_of(format, g, threads));
        for (const Layout layout : {Layout{0, false}, Layout{10, true}}) {
          TestFrame again(format, g.in_w, g.in_h, layout), out(format, g.out_w, g.out_h, layout);
          again.fill_random(4);
          process(*upscaler, again, out);
          CHECK(out.values() == expected.values());
        }
      }
    }
  }
}

TEST_CASE("NV12 equals I420 and P010 equals I420_10LE", "[vision]") {
  for (const Geometry& g : {Geometry{37, 21, 74, 42}, Geometry{64, 32, 90, 50}, Geometry{64, 32, 33, 17}}) {
    for (const auto& [planar, packed] : {std::pair{PixelFormat::kI420, PixelFormat::kNv12},
                                         std::pair{PixelFormat::kI420_10Le, PixelFormat::kP010_10Le}}) {
      TestFrame a(planar, g.in_w, g.in_h), b(packed, g.in_w, g.in_h);
      a.fill_random(8);
      b.fill_random(8);
      TestFrame out_a(planar, g.out_w, g.out_h), out_b(packed, g.out_w, g.out_h);
      process(*make(config_of(planar, g)), a, out_a);
      process(*make(config_of(packed, g)), b, out_b);
      CHECK(out_a.values() == out_b.values());
    }
  }
}

TEST_CASE("10-bit frames follow 8-bit frames", "[vision]") {
  const Geometry g{60, 40, 90, 60};
  TestFrame a(PixelFormat::kI420, g.in_w, g.in_h), b(PixelFormat::kI420_10Le, g.in_w, g.in_h);
  // Smooth content inside the range, so that no clamp acts.
  const auto wave = [](int c, int x, int y) {
    return static_cast<int>(std::lround(128 + 60 * std::sin(0.3 * x + c) + 40 * std::cos(0.2 * y)));
  };
  a.fill(wave);
  b.fill([&](int c, int x, int y) { return 4 * wave(c, x, y); });
  TestFrame out_a(PixelFormat::kI420, g.out_w, g.out_h), out_b(PixelFormat::kI420_10Le, g.out_w, g.out_h);
  process(*make(config_of(PixelFormat::kI420, g)), a, out_a);
  process(*make(config_of(PixelFormat::kI420_10Le, g)), b, out_b);
  // Luma is scaled by 1/255 and 1/1023, not by exactly four: 255 * 4 = 1020 is three codes short of full scale, but
  // values in and out scale alike. What is left is half an 8-bit step and half a 10-bit step.
  const std::vector<int> eight = out_a.values(), ten = out_b.values();
  int worst = 0;
  for (size_t i = 0; i < eight.size(); ++i) worst = std::max(worst, std::abs(ten[i] - 4 * eight[i]));
  CHECK(worst <= 3);
}

TEST_CASE("chroma keeps its siting", "[vision]") {
  // Chroma that is a ramp over the picture stays the same ramp: sample j of a plane sits at luma position
  // 2j + 1 (centred) or 2j + 0.5 (co-sited) from the picture's edge.
  struct Case {
    ChromaSite site;
    double x_offset, y_offset;
  };
  for (const Case& c :
       {Case{ChromaSite::kCenter, 1, 1}, Case{ChromaSite::kLeft, 0.5, 1}, Case{ChromaSite::kTopLeft, 0.5, 0.5}}) {
    for (const Geometry& g : {Geometry{80, 80, 160, 160}, Geometry{80, 80, 120, 100}, Geometry{81, 79, 162, 158}}) {
      UpscalerConfig config = config_of(PixelFormat::kI420_10Le, g);
      config.chroma_site = c.site;
      TestFrame in(config.format, g.in_w, g.in_h), out(config.format, g.out_w, g.out_h);
      // Codes rise by 8 a luma pixel, Cb along x and Cr along y.
      in.fill([&](int channel, int x, int y) {
        if (channel == 0) return 0;
        return static_cast<int>(8 * (channel == 1 ? 2 * x + c.x_offset : 2 * y + c.y_offset));
      });
      process(*make(config), in, out);
      const double step_x = static_cast<double>(g.in_w) / g.out_w, step_y = static_cast<double>(g.in_h) / g.out_h;
      double worst = 0;
      for (int y = 8; y < out.height(1) - 8; ++y) {
        for (int x = 8; x < out.width(1) - 8; ++x) {
          worst = std::max(worst, std::fabs(out.get(1, x, y) - 8 * (2 * x + c.x_offset) * step_x));
          worst = std::max(worst, std::fabs(out.get(2, x, y) - 8 * (2 * y + c.y_offset) * step_y));
        }
      }
      CHECK(worst < 0.51);
    }
  }
}

TEST_CASE("luma keeps its place", "[vision]") {
  for (const Geometry& g : {Geometry{80, 60, 160, 120}, Geometry{80, 60, 100, 90}}) {
    TestFrame in(PixelFormat::kI420_10Le, g.in_w, g.in_h), out(PixelFormat::kI420_10Le, g.out_w, g.out_h);
    in.fill([](int channel, int x, int y) { return channel == 0 ? 40 + 4 * x + 8 * y : 0; });
    process(*make(config_of(PixelFormat::kI420_10Le, g)), in, out);
    double worst = 0;
    for (int y = 8; y < g.out_h - 8; ++y) {
      for (int x = 8; x < g.out_w - 8; ++x) {
        const double in_x = (x + 0.5) * g.in_w / g.out_w - 0.5, in_y = (y + 0.5) * g.in_h / g.out_h - 0.5;
        worst = std::max(worst, std::fabs(out.get(0, x, y) - (40 + 4 * in_x + 8 * in_y)));
      }
    }
    CHECK(worst < 0.75);
  }
}

TEST_CASE("equal sizes pass through, byte for byte", "[vision]") {
  for (const PixelFormat format : kAllFormats) {
    for (const auto& [width, height] : {std::pair{1, 1}, std::pair{33, 17}, std::pair{64, 300}}) {
      TestFrame in(format, width, height, {8, false}), out(format, width, height, {2, true});
      in.fill_random(6);
      const auto upscaler = make(config_of(format, {width, height, width, height}));
      CHECK(upscaler->stats().executor == "copy");
      process(*upscaler, in, out);
      CHECK(out.values() == in.values());
      CHECK(out.canary_intact());
    }
  }
}

TEST_CASE("process allocates nothing, without a network and with an integer one", "[vision]") {
  auto network = Model::from_program(coco::testing::integer_super_resolution(8, 2));
  REQUIRE(network.ok());
  const auto model = GENERATE_COPY(std::shared_ptr<const Model>(), *network);
  for (const PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420_10Le, PixelFormat::kGray8}) {
    for (const Geometry& g : {Geometry{96, 54, 192, 108}, Geometry{96, 54, 128, 72}, Geometry{96, 54, 96, 54}}) {
      TestFrame in(format, g.in_w, g.in_h), out(format, g.out_w, g.out_h);
      in.fill_random(2);
      const auto upscaler = make(config_of(format, g, 3), model);
      const MutableFrameView in_view = in.view(), out_view = out.view();
      REQUIRE(upscaler->process(in_view, out_view).ok());
      const long before = allocations;
      const bool ok = upscaler->process(in_view, out_view).ok();
      const long after = allocations;
      CHECK(ok);
      CHECK(after == before);
    }
  }
}

TEST_CASE("wrong configurations and frames are refused with a reason", "[vision]") {
  const auto message_of = [](const UpscalerConfig& config) {
    auto upscaler = Upscaler::create(nullptr, config);
    return upscaler.ok() ? std::string() : upscaler.error().message;
  };
  CHECK_THAT(message_of(config_of(PixelFormat::kI420, {0, 10, 20, 20})), ContainsSubstring("input size 0x10"));
  CHECK_THAT(message_of(config_of(PixelFormat::kI420, {10, 16385, 20, 20})), ContainsSubstring("16385"));
  CHECK_THAT(message_of(config_of(PixelFormat::kI420, {10, 10, 20, -1})), ContainsSubstring("output size 20x-1"));
  CHECK_THAT(message_of(config_of(PixelFormat::kI420, {10, 10, 20, 20}, -2)), ContainsSubstring("threads"));

  const auto upscaler = make(config_of(PixelFormat::kI420_10Le, {16, 16, 32, 32}));
  TestFrame in(PixelFormat::kI420_10Le, 16, 16), out(PixelFormat::kI420_10Le, 32, 32);
  const auto failure = [&](const FrameView& in_view, const MutableFrameView& out_view) {
    const Status status = upscaler->process(in_view, out_view);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    return status.error().message;
  };
  TestFrame small(PixelFormat::kI420_10Le, 16, 15), other(PixelFormat::kNv12, 32, 32);
  CHECK_THAT(failure(small.view(), out.view()), ContainsSubstring("16x15") && ContainsSubstring("16x16"));
  CHECK_THAT(failure(in.view(), other.view()), ContainsSubstring("NV12") && ContainsSubstring("output"));
  MutableFrameView broken = out.view();
  broken.data[2] = nullptr;
  CHECK_THAT(failure(in.view(), broken), ContainsSubstring("plane 2"));
  broken = out.view();
  broken.stride[1] = 30;
  CHECK_THAT(failure(in.view(), broken), ContainsSubstring("stride of 30"));
  broken = out.view();
  broken.stride[0] += 1;
  CHECK_THAT(failure(in.view(), broken), ContainsSubstring("aligned"));
  CHECK(upscaler->process(in.view(), out.view()).ok());
}

}  // namespace coco::vision
