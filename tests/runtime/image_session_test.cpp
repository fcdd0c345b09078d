#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.h"
#include "coco/session.h"
#include "runtime/allocation_counter.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

std::shared_ptr<const Model> model_of(format::Program program) {
  auto model = Model::from_program(std::move(program));
  REQUIRE(model.ok());
  return *model;
}

struct Plane {
  int width, height;
  ptrdiff_t stride;
  std::vector<uint8_t> data;
  Plane(int w, int h, int extra = 5) : width(w), height(h), stride(w + extra), data(stride * h, 0xa5) {}
  void fill(uint64_t seed) {
    Noise noise(seed);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) data[y * stride + x] = static_cast<uint8_t>(127.5f + 127.0f * noise.next());
  }
  PlaneView view() const { return {data.data(), stride, width, height, SampleType::kU8}; }
  MutablePlaneView view() { return {data.data(), stride, width, height, SampleType::kU8}; }
  bool padding_untouched() const {
    for (int y = 0; y < height; ++y)
      for (ptrdiff_t x = width; x < stride; ++x)
        if (data[y * stride + x] != 0xa5) return false;
    return true;
  }
};

std::unique_ptr<ImageSession> make_session(const std::shared_ptr<const Model>& model, const ImageJob& job,
                                           const SessionOptions& options = {}) {
  auto session = ImageSession::create(model, job, options);
  INFO((session.ok() ? "" : session.error().message));
  REQUIRE(session.ok());
  return std::move(session).value();
}

ImageJob job_of(const Plane& in, const Plane& out, int repeats) {
  ImageJob job;
  job.in_width = in.width, job.in_height = in.height, job.out_width = out.width, job.out_height = out.height;
  job.repeats = repeats;
  return job;
}

}  // namespace

TEST_CASE("planes run as tensors do") {
  const auto model = model_of(super_resolution(8, 2));
  Plane in(37, 23), out(74, 46);
  in.fill(1);
  REQUIRE(make_session(model, job_of(in, out, 1))->run(in.view(), out.view()).ok());
  CHECK(out.padding_untouched());

  const Shape shape{1, 1, in.height, in.width};
  auto session = Session::create(model, std::span(&shape, 1), {});
  REQUIRE(session.ok());
  std::vector<float> input(in.width * in.height), output(out.width * out.height);
  for (int y = 0; y < in.height; ++y)
    for (int x = 0; x < in.width; ++x) input[y * in.width + x] = in.data[y * in.stride + x] * (1.0f / 255.0f);
  const TensorView in_view{DataType::kF32, shape, input.data()};
  const MutableTensorView out_view{DataType::kF32, {1, 1, out.height, out.width}, output.data()};
  REQUIRE((*session)->run(std::span(&in_view, 1), std::span(&out_view, 1)).ok());
  int different = 0;
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) {
      const float code = std::clamp(std::nearbyint(output[y * out.width + x] * 255.0f), 0.0f, 255.0f);
      // Different executors may sum in another order: a value at a rounding border may fall on either side.
      different += std::abs(code - static_cast<float>(out.data[y * out.stride + x])) > 0;
    }
  CHECK(different <= 2);
}

TEST_CASE("repeats, resampling and tilings give the same bytes") {
  const auto model = model_of(super_resolution(8, 1, 3));
  for (const auto& [w, h, ow, oh, repeats] : std::vector<std::array<int, 5>>{{20, 13, 80, 52, 2},
                                                                             {20, 13, 61, 37, 2},
                                                                             {31, 17, 50, 30, 1},
                                                                             {40, 30, 17, 11, 0},
                                                                             {1, 1, 9, 7, 3},
                                                                             {33, 5, 33, 5, 0}}) {
    Plane in(w, h), expected(ow, oh, 0), out(ow, oh, 11);
    in.fill(2);
    SessionOptions whole;
    whole.threads = 1, whole.strip_width = 1 << 20, whole.band_height = 1 << 20;
    REQUIRE(make_session(model, job_of(in, expected, repeats), whole)->run(in.view(), expected.view()).ok());
    for (const auto& [strip, band, threads] : std::vector<std::array<int, 3>>{{0, 0, 0}, {3, 2, 3}, {16, 7, 2}}) {
      SessionOptions options;
      options.strip_width = strip, options.band_height = band, options.threads = threads;
      REQUIRE(make_session(model, job_of(in, out, repeats), options)->run(in.view(), out.view()).ok());
      bool equal = out.padding_untouched();
      for (int y = 0; y < oh; ++y)
        equal = equal && std::equal(&expected.data[y * expected.stride], &expected.data[y * expected.stride] + ow,
                                    &out.data[y * out.stride]);
      INFO(w << "x" << h << " to " << ow << "x" << oh << ", strip " << strip << " band " << band);
      CHECK(equal);
    }
  }
}

TEST_CASE("a run allocates nothing, calls every extra task once and works bottom-up") {
  const auto model = model_of(super_resolution(8, 2));
  Plane in(64, 48), out(128, 96), flipped(128, 96);
  in.fill(4);
  SessionOptions options;
  options.threads = 3;
  const auto session = make_session(model, job_of(in, out, 1), options);
  std::vector<int> calls(10, 0);
  const std::function<void(int)> extra = [&](int i) { ++calls[i]; };
  REQUIRE(session->run(in.view(), out.view(), 10, &extra).ok());
  const size_t before = testing::allocation_count();
  REQUIRE(session->run(in.view(), out.view(), 10, &extra).ok());
  CHECK(testing::allocation_count() == before);
  CHECK(calls == std::vector<int>(10, 2));
  // No frame-sized memory: the rings of all workers are far smaller than the f32 layers they stand for.
  CHECK(session->stats().executor == "line");
  CHECK(session->stats().arena_bytes < size_t{3} * 600 * 1024);

  MutablePlaneView up = flipped.view();
  up.data = flipped.data.data() + (flipped.height - 1) * flipped.stride;
  up.stride = -flipped.stride;
  REQUIRE(session->run(in.view(), up).ok());
  bool equal = true;
  for (int y = 0; y < out.height; ++y)
    equal = equal && std::equal(&out.data[y * out.stride], &out.data[y * out.stride] + out.width,
                                &flipped.data[(out.height - 1 - y) * flipped.stride]);
  CHECK(equal);
}

TEST_CASE("no memory grows with the frame's height, in floats and in integers, 8 bits and 10") {
  for (const bool integers : {false, true})
    for (const SampleType type : {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10}) {
      const auto model = model_of(integers ? integer_super_resolution(8, 2) : super_resolution(8, 2));
      size_t arena = 0;
      for (const int height : {100, 400}) {
        const int width = 300;
        std::vector<uint16_t> in(static_cast<size_t>(width) * height), out(4 * in.size());
        Noise noise(7);
        for (uint16_t& sample : in)
          sample = static_cast<uint16_t>(512 + 511 * noise.next()) << (type == SampleType::kU16Msb10 ? 6 : 0);
        ImageJob job;
        job.in_width = width, job.in_height = height, job.out_width = 2 * width, job.out_height = 2 * height;
        job.in_type = job.out_type = type;
        SessionOptions options;
        options.threads = 2;
        const auto session = make_session(model, job, options);
        const ptrdiff_t stride = 2 * width;
        const PlaneView from{in.data(), stride, width, height, type};
        const MutablePlaneView to{out.data(), 2 * stride, 2 * width, 2 * height, type};
        REQUIRE(session->run(from, to).ok());
        const size_t before = testing::allocation_count();
        REQUIRE(session->run(from, to).ok());
        CHECK(testing::allocation_count() == before);
        INFO("height " << height << ", " << session->stats().arena_bytes << " bytes");
        if (arena == 0) arena = session->stats().arena_bytes;
        CHECK(session->stats().arena_bytes == arena);
        // One layer of the network as a whole is 8 channels of the frame.
        if (height == 400) CHECK(arena < static_cast<size_t>(width) * height * 8 * (integers ? 1 : 4) * 2);
        CHECK(std::any_of(out.begin(), out.end(), [&](uint16_t v) { return v != out[0]; }));
      }
    }
}

TEST_CASE("what does not fit is refused with a reason") {
  const auto model = model_of(super_resolution(8, 1));
  ImageJob job;
  job.in_width = 8, job.in_height = 8, job.out_width = 16, job.out_height = 16;
  const auto message = [&](const std::shared_ptr<const Model>& m, const ImageJob& j, const SessionOptions& o = {}) {
    const auto session = ImageSession::create(m, j, o);
    REQUIRE_FALSE(session.ok());
    return session.error().message;
  };
  CHECK(message(nullptr, job).find("no model") != std::string::npos);
  ImageJob bad = job;
  bad.in_width = 0;
  CHECK(message(model, bad).find("not 0") != std::string::npos);
  bad = job;
  bad.repeats = 9;
  CHECK(message(model, bad).find("not 9") != std::string::npos);
  SessionOptions layer;
  layer.executor = ExecutorKind::kLayer;
  CHECK(message(model, job, layer).find("line executor") != std::string::npos);
  NetworkBuilder colour;
  const int in = colour.input({1, 3, kDynamicDim, kDynamicDim});
  const auto three = model_of(colour.finish({colour.conv3x3(in, 3, 3)}));
  CHECK(message(three, job).find("one channel") != std::string::npos);

  Plane small(7, 8), out(16, 16);
  const auto session = make_session(model, job);
  const auto status = session->run(small.view(), out.view());
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().message.find("8 x 8") != std::string::npos);
}
