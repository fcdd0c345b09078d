// What happens to frames when a device is lost, and when two devices do not agree.
#include "plugins/upscale/upscale_path.h"

#include "catch.h"

using namespace coco;
using namespace coco::plugins;

namespace {

/// A frame with room of its own.
struct Picture {
  Picture(PixelFormat format, int width, int height) : view{format, width, height, {}, {}} {
    const auto bytes = static_cast<ptrdiff_t>(byte_size(sample_type(format)));
    for (int plane = 0; plane < plane_count(format); ++plane) {
      const int columns = plane == 0 ? width : (width + 1) / 2, rows = plane == 0 ? height : (height + 1) / 2;
      view.stride[plane] = (columns * (plane > 0 && plane_count(format) == 2 ? 2 : 1) + 3) * bytes;
      memory[plane].assign(static_cast<size_t>(view.stride[plane] * rows), 7);
      view.data[plane] = memory[plane].data();
    }
  }
  std::vector<uint8_t> memory[3];
  MutableFrameView view;
};

/// Fills frames with a value, until it is lost.
struct Filler {
  uint8_t value;
  int left = 1 << 30;  ///< frames until it is lost
  ErrorCode code = ErrorCode::kUnavailable;
  int made = 0;
};

FrameMaker maker(const std::string& path, Filler& filler) {
  FrameMaker result;
  result.path = path;
  result.process = [&filler](const FrameView&, const MutableFrameView& out) -> Status {
    if (filler.left-- <= 0) return make_error(filler.code, "lost");
    ++filler.made;
    for (int plane = 0; plane < plane_count(out.format); ++plane) {
      const int columns = plane == 0 ? out.width : (out.width + 1) / 2;
      for (int y = 0; y < (plane == 0 ? out.height : (out.height + 1) / 2); ++y)
        std::fill_n(static_cast<uint8_t*>(out.data[plane]) + y * out.stride[plane], columns, filler.value);
    }
    return {};
  };
  return result;
}

UpscalePath::Options options_for(const Picture& out) {
  UpscalePath::Options options;
  options.format = out.view.format;
  options.width = out.view.width, options.height = out.view.height;
  return options;
}

}  // namespace

TEST_CASE("when a device is lost, the spare one makes that frame and those to come") {
  const Picture in(PixelFormat::kI420, 8, 6);
  Picture out(PixelFormat::kI420, 16, 12);
  Filler gpu{1, 2}, cpu{2};
  int spares = 0;
  UpscalePath::Options options = options_for(out);
  options.spare = [&]() -> Result<FrameMaker> {
    ++spares;
    return maker("cpu", cpu);
  };
  auto path = UpscalePath::create(maker("gpu", gpu), options).value();
  for (int frame = 0; frame < 5; ++frame) {
    CAPTURE(frame);
    const auto outcome = path->process(in.view, out.view);
    REQUIRE(outcome.ok());
    CHECK(outcome->lost.has_value() == (frame == 2));
    CHECK(out.memory[0][0] == (frame < 2 ? 1 : 2));
    CHECK(path->path() == (frame < 2 ? "gpu" : "cpu"));
  }
  CHECK(spares == 1);
  CHECK(cpu.made == 3);
}

TEST_CASE("a lost device without a spare one, and every other failure, is an error") {
  const Picture in(PixelFormat::kGray8, 8, 6);
  Picture out(PixelFormat::kGray8, 16, 12);
  Filler gpu{1, 0}, cpu{2};
  auto alone = UpscalePath::create(maker("gpu", gpu), options_for(out)).value();
  CHECK(alone->process(in.view, out.view).error().code == ErrorCode::kUnavailable);
  Filler broken{1, 0, ErrorCode::kInvalidArgument};
  UpscalePath::Options options = options_for(out);
  options.spare = [&]() -> Result<FrameMaker> { return maker("cpu", cpu); };
  auto path = UpscalePath::create(maker("gpu", broken), options).value();
  CHECK(path->process(in.view, out.view).error().code == ErrorCode::kInvalidArgument);
  CHECK(cpu.made == 0);
  options.spare = []() -> Result<FrameMaker> { return make_error(ErrorCode::kResourceLimit, "no memory"); };
  Filler lost{1, 0};
  path = UpscalePath::create(maker("gpu", lost), options).value();
  CHECK(path->process(in.view, out.view).error().code == ErrorCode::kResourceLimit);
}

TEST_CASE("every so many frames are compared, and the difference is told") {
  const Picture in(PixelFormat::kI420, 8, 6);
  Picture out(PixelFormat::kI420, 100, 80);
  Filler one{1}, other{1};
  UpscalePath::Options options = options_for(out);
  options.verify = 3;
  options.other = [&]() -> Result<FrameMaker> { return maker("other", other); };
  auto path = UpscalePath::create(maker("one", one), options).value();
  CHECK(path->other_path() == "other");
  for (int frame = 0; frame < 7; ++frame) {
    CAPTURE(frame);
    if (frame == 4) other.value = 9;
    const auto outcome = path->process(in.view, out.view);
    REQUIRE(outcome.ok());
    CHECK(outcome->verified == (frame % 3 == 0));
    CHECK(outcome->difference.has_value() == (frame == 6));
    CHECK(out.memory[0][0] == 1);
    if (!outcome->difference) continue;
    CHECK(outcome->difference->samples == 64 * 64);
    CHECK(outcome->difference->largest == 8);
  }
  CHECK(other.made == 3);
}

TEST_CASE("one that cannot be asked any more ends the comparing, not the stream") {
  const Picture in(PixelFormat::kGray8, 8, 6);
  Picture out(PixelFormat::kGray8, 16, 12);
  Filler one{1}, other{1, 1};
  UpscalePath::Options options = options_for(out);
  options.verify = 1;
  options.other = [&]() -> Result<FrameMaker> { return maker("other", other); };
  auto path = UpscalePath::create(maker("one", one), options).value();
  for (int frame = 0; frame < 4; ++frame) {
    const auto outcome = path->process(in.view, out.view);
    REQUIRE(outcome.ok());
    CHECK(outcome->verified == (frame == 0));
    CHECK(outcome->unverified.has_value() == (frame == 1));
  }
  options.other = []() -> Result<FrameMaker> { return make_error(ErrorCode::kUnavailable, "no device"); };
  CHECK(UpscalePath::create(maker("one", one), options).error().message == "no device");
}

TEST_CASE("the first tile that differs is found in every plane of every format") {
  for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI420_10Le,
                                   PixelFormat::kP010_10Le}) {
    Picture a(format, 201, 131), b(format, 201, 131);
    for (int plane = 0; plane < plane_count(format); ++plane)
      b.memory[plane].back() = 99;  // beyond the last row's samples
    CHECK_FALSE(first_difference(a.view, b.view).has_value());
    const auto sample = static_cast<ptrdiff_t>(byte_size(sample_type(format)));
    for (int plane = plane_count(format); plane-- > 0;) {
      CAPTURE(static_cast<int>(format), plane);
      const bool pairs = plane > 0 && plane_count(format) == 2;
      const int x = plane == 0 ? 200 : 100, y = plane == 0 ? 130 : 65;
      b.memory[plane][static_cast<size_t>(y * b.view.stride[plane] + (pairs ? 2 * x + 1 : x) * sample)] = 10;
      const auto found = first_difference(a.view, b.view);
      REQUIRE(found.has_value());
      CHECK(found->plane == plane);
      CHECK(found->x == x / 64 * 64);
      CHECK(found->y == y / 64 * 64);
      CHECK(found->samples == 1);
      CHECK(found->largest == 3);
    }
  }
}
