// Integer networks on whole frames, to the byte: luma by the network, chroma by the resampler, 8 bits and 10. The
// scalar references give what is expected; every instruction set, number of threads, strip and reuse must agree, and
// the checksums hold all of them to what the last release gave. A change of these bytes is to be reviewed.
#include <set>
#include <string>

#include "base/file.h"
#include "catch.h"
#include "coco/vision.h"
#include "kernels/resample_support.h"
#include "runtime/networks.h"
#include "vision/frames.h"

using namespace coco;
using namespace coco::vision;

namespace {

/// 4 of 9 weights in the middle layers: another of three patterns for every 4 x 4 channels.
bool is_in_pattern(int64_t m, int64_t c, int64_t tap) {
  constexpr unsigned kPatterns[] = {0x1b, 0x36, 0xd8};
  return (kPatterns[(m / 4 + 2 * (c / 4)) % 3] >> tap & 1) != 0;
}

std::shared_ptr<const Model> network(bool pruned) {
  auto model = Model::from_program(coco::testing::integer_super_resolution(
      8, 2, 5, pruned ? is_in_pattern : coco::testing::NetworkBuilder::Keeps()));
  REQUIRE(model.ok());
  return *model;
}

/// Smooth enough for a network, with edges, noise and both ends of the range; another one for every `frame`.
void draw(TestFrame& frame, int number, int peak) {
  uint32_t state = 12345;
  frame.fill([&](int channel, int x, int y) {
    state = state * 1664525u + 1013904223u;
    const int slope = (3 * x + 5 * y + 40 * channel + (y > 20 ? 9 * number : 0)) % 256,
              noise = static_cast<int>(state >> 27);
    const int value = x % 31 == 7 ? 0 : y % 23 == 11 ? 255 : slope / 2 + 60 + noise;
    return std::min(value, 255) * peak / 255;
  });
}

std::vector<TestFrame> run(const std::shared_ptr<const Model>& model, PixelFormat format,
                           const SessionOptions& session) {
  constexpr int kWidth = 97, kHeight = 61, kFrames = 3;
  UpscalerConfig config;
  config.format = format, config.in_width = kWidth, config.in_height = kHeight;
  config.out_width = 2 * kWidth, config.out_height = 2 * kHeight;
  config.session = session, config.tuning = Tuning::kOff;
  auto upscaler = Upscaler::create(model, config);
  INFO((upscaler.ok() ? "" : upscaler.error().message));
  REQUIRE(upscaler.ok());
  std::vector<TestFrame> results;
  for (int i = 0; i < kFrames; ++i) {
    TestFrame in(format, kWidth, kHeight), out(format, 2 * kWidth, 2 * kHeight);
    draw(in, i / 2, max_value(sample_type(format)));  // the second frame is the first again
    REQUIRE((*upscaler)->process(in.view(), out.view()).ok());
    CHECK(out.canary_intact());
    results.push_back(std::move(out));
  }
  return results;
}

std::string checksum(const std::vector<TestFrame>& frames, bool chroma) {
  std::vector<uint8_t> bytes;
  for (const TestFrame& frame : frames) {
    for (int channel = chroma ? 1 : 0; channel < (chroma ? frame.channels() : 1); ++channel) {
      for (const int v : frame.values(channel)) {
        bytes.push_back(static_cast<uint8_t>(v & 0xff));
        bytes.push_back(static_cast<uint8_t>(v >> 8));
      }
    }
  }
  return sha256_hex(bytes);
}

size_t distinct(const std::vector<int>& values) { return std::set<int>(values.begin(), values.end()).size(); }

struct Golden {
  PixelFormat format;
  bool pruned;
  std::string luma, chroma;
};

}  // namespace

TEST_CASE("golden bytes of integer networks on frames", "[vision]") {
  const Golden golden[] = {
      {PixelFormat::kNv12, false, "af06e12b31a0a006cb6eead46f9c8f89541e288af69f9ef0ae6bbb2d98b292a6",
       "d795400a351bad42b625da1d319ee1bb964255057898019b1098616d4fd5c6fa"},
      {PixelFormat::kNv12, true, "0f711346a2dd13e2b7e78d95371842bfb7d21cbf865a0d933632390d6dc56820",
       "d795400a351bad42b625da1d319ee1bb964255057898019b1098616d4fd5c6fa"},
      {PixelFormat::kI420_10Le, false, "31d64d61618bce35d1dd8b6c81df012609fecf293f86efbb422faf0a57bf8b38",
       "900bd78abc73307a0b0454ef8d468af7e7d571213dd5e5bbeeb9569a3c3f165f"},
      {PixelFormat::kP010_10Le, true, "9cf365532efe2dbda99264c80e0db42e3f0fed31ba888dc168429d889b80cb55",
       "900bd78abc73307a0b0454ef8d468af7e7d571213dd5e5bbeeb9569a3c3f165f"},
  };
  for (const Golden& expected : golden) {
    const auto model = network(expected.pruned);
    INFO("format " << static_cast<int>(expected.format) << (expected.pruned ? ", pruned" : ", dense"));
    SessionOptions plain;
    plain.reference_kernels = true, plain.threads = 1;
    const auto reference = run(model, expected.format, plain);
    CHECK(distinct(reference[0].values(0)) > 100);
    CHECK(checksum(reference, false) == expected.luma);
    CHECK(checksum(reference, true) == expected.chroma);
    kernels::for_each_target([&] {
      for (const int threads : {1, 3}) {
        for (const int strip : {0, 48}) {
          for (const bool reuse : {false, true}) {
            SessionOptions session;
            session.threads = threads, session.strip_width = strip, session.reuse = reuse;
            INFO(threads << " threads, strips of " << strip << (reuse ? ", reuse" : ""));
            const auto result = run(model, expected.format, session);
            for (size_t i = 0; i < result.size(); ++i) CHECK((result[i].values() == reference[i].values()));
          }
        }
      }
    });
  }
}
