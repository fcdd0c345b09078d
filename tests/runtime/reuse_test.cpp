// Temporal reuse: the same bytes as without it, whatever moves, whatever happens to the output buffers.
#include <algorithm>
#include <random>

#include "catch.h"
#include "coco/session.h"
#include "runtime/allocation_counter.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

struct Plane {
  int width, height;
  SampleType type;
  std::vector<uint8_t> bytes;
  Plane(int w, int h, SampleType t)
      : width(w), height(h), type(t), bytes(static_cast<size_t>(h) * static_cast<size_t>(stride())) {}
  ptrdiff_t stride() const { return static_cast<ptrdiff_t>((static_cast<size_t>(width) + 5) * byte_size(type)); }
  MutablePlaneView view() { return {bytes.data(), stride(), width, height, type}; }
};

/// Frames in which one rectangle of noise is drawn anew, at times none and at times everything.
class Movie {
 public:
  Movie(int width, int height, SampleType type, unsigned seed) : plane_(width, height, type), random_(seed) {
    draw(0, 0, width, height);
  }
  Plane& next(int frame) {
    if (frame % 4 == 3) return plane_;  // still
    if (frame % 11 == 5) {
      draw(0, 0, plane_.width, plane_.height);
    } else if (frame % 3 == 0) {
      const int x = below(plane_.width), y = below(plane_.height);
      draw(x, y, std::min(x + 1 + below(20), plane_.width), std::min(y + 1 + below(20), plane_.height));
    }
    return plane_;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  void draw(int x0, int y0, int x1, int y1) {
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) {
        uint8_t* at = plane_.bytes.data() + y * plane_.stride() + static_cast<ptrdiff_t>(x * byte_size(plane_.type));
        at[0] = static_cast<uint8_t>(random_());
        if (plane_.type != SampleType::kU8) at[1] = static_cast<uint8_t>(random_() & 3);
      }
  }
  Plane plane_;
  std::mt19937 random_;
};

std::unique_ptr<ImageSession> session(const ImageJob& job, SessionOptions options, bool reuse, bool integers = false) {
  static const auto floats = Model::from_program(super_resolution(4, 2)),
                    whole = Model::from_program(integer_super_resolution(4, 2));
  const auto& model = integers ? whole : floats;
  REQUIRE(model.ok());
  options.reuse = reuse;
  auto made = ImageSession::create(*model, job, options);
  INFO((made.ok() ? "" : made.error().message));
  REQUIRE(made.ok());
  return std::move(*made);
}

ImageJob job_of(int width, int height, int out_width, int out_height, SampleType type) {
  ImageJob job;
  job.in_width = width, job.in_height = height, job.out_width = out_width, job.out_height = out_height;
  job.in_type = job.out_type = type;
  return job;
}

void check(const ImageJob& job, const SessionOptions& options, bool integers) {
  const auto with = session(job, options, true, integers), without = session(job, options, false, integers);
  Movie movie(job.in_width, job.in_height, job.in_type, 5);
  Plane expected(job.out_width, job.out_height, job.out_type);
  Plane buffers[2] = {expected, expected};
  for (int frame = 0; frame < 24; ++frame) {
    Plane& in = movie.next(frame);
    Plane& out = buffers[frame % 2];
    // Somebody else wrote into the buffer since.
    std::fill(out.bytes.begin(), out.bytes.end(), static_cast<uint8_t>(frame));
    std::fill(expected.bytes.begin(), expected.bytes.end(), static_cast<uint8_t>(frame));
    REQUIRE(with->run(in.view(), out.view()).ok());
    REQUIRE(without->run(in.view(), expected.view()).ok());
    INFO("frame " << frame);
    CHECK((out.bytes == expected.bytes));
  }
  CHECK(with->reuse_stats().total_kept > 0);
  CHECK(without->reuse_stats().total_tiles == 0);
}

}  // namespace

TEST_CASE("reuse gives the same bytes, in floats and in integers") {
  const bool integers = GENERATE(false, true);
  INFO((integers ? "integers" : "floats"));
  check(job_of(150, 130, 300, 260, SampleType::kU8), {}, integers);
  SessionOptions narrow;
  narrow.strip_width = 48, narrow.threads = 3;
  check(job_of(150, 130, 300, 260, SampleType::kU8), narrow, integers);
  check(job_of(97, 71, 250, 200, SampleType::kU16Lsb10), narrow, integers);
  check(job_of(64, 200, 100, 333, SampleType::kU16Msb10), {}, integers);
  check(job_of(5, 3, 10, 6, SampleType::kU8), {}, integers);
  // Strips joined: all of them, and two at a time.
  check(job_of(800, 140, 1600, 280, SampleType::kU8), {}, integers);
  SessionOptions two;
  two.strip_width = 640, two.threads = 2;
  check(job_of(800, 140, 1600, 280, SampleType::kU8), two, integers);
}

TEST_CASE("what stands still is kept, what a changed sample reaches is not") {
  const ImageJob job = job_of(320, 320, 640, 640, SampleType::kU8);
  SessionOptions options;
  options.strip_width = 128;
  const auto session = ::session(job, options, true);
  Plane in(320, 320, SampleType::kU8), out(640, 640, SampleType::kU8);
  const auto kept = [&] {
    REQUIRE(session->run(in.view(), out.view()).ok());
    return session->reuse_stats().kept;
  };
  CHECK(kept() == 0);
  CHECK(kept() == 0);  // computed once more, and saved
  const int tiles = session->reuse_stats().tiles;
  CHECK(tiles == 5 * 10);
  CHECK(kept() == tiles);
  in.bytes[100 * in.stride() + 100] ^= 1;
  const int changed = tiles - kept();
  CHECK(changed >= 1);
  CHECK(changed <= 6);
  CHECK(kept() == tiles - changed);  // those are computed once more
  CHECK(kept() == tiles);
  CHECK(session->reuse_stats().total_tiles == 6 * tiles);
}

TEST_CASE("frames with reuse allocate nothing") {
  const ImageJob job = job_of(320, 200, 640, 400, SampleType::kU8);
  const auto session = ::session(job, {}, true);
  Movie movie(320, 200, SampleType::kU8, 3);
  Plane out(640, 400, SampleType::kU8);
  REQUIRE(session->run(movie.next(0).view(), out.view()).ok());
  const auto before = allocation_count();
  for (int frame = 1; frame < 8; ++frame) REQUIRE(session->run(movie.next(frame).view(), out.view()).ok());
  CHECK(allocation_count() == before);
}
