#include <cstring>

#include "coco/session.h"
#include "coco/vision.h"
#include "tests/capi/support.h"
#include "tests/vision/frames.h"

using namespace coco;
using namespace coco::testing;
using coco::vision::kAllFormats;
using coco::vision::TestFrame;
using coco::vision::Upscaler;
using coco::vision::UpscalerConfig;

namespace {

std::vector<uint8_t> noise(size_t count) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>((i * 2654435761u) >> 13);
  return bytes;
}

coco_image_job job_of(int in_width, int in_height, int out_width, int out_height) {
  auto job = sized<coco_image_job>();
  job.in_width = in_width, job.in_height = in_height, job.out_width = out_width, job.out_height = out_height;
  return job;
}

struct Arrays {
  const void* in[3];
  void* out[3];
  ptrdiff_t in_strides[3], out_strides[3];
  Arrays(const FrameView& source, const MutableFrameView& target) {
    for (size_t p = 0; p < 3; ++p) {
      in[p] = source.data[p], in_strides[p] = source.stride[p];
      out[p] = target.data[p], out_strides[p] = target.stride[p];
    }
  }
};

}  // namespace

TEST_CASE("an image session makes the bytes the C++ API makes", "[capi]") {
  const auto model = small_model();
  const auto in = noise(23 * 17);
  struct Case {
    bool network;
    int out_width, out_height, repeats;
    coco_filter filter;
  };
  for (const Case& c : {Case{true, 46, 34, 0, COCO_BICUBIC}, Case{true, 92, 68, 2, COCO_BICUBIC},
                        Case{true, 51, 30, 1, COCO_LANCZOS3}, Case{false, 31, 11, 0, COCO_LANCZOS3}}) {
    ImageJob expected_job;
    expected_job.in_width = 23, expected_job.in_height = 17;
    expected_job.out_width = c.out_width, expected_job.out_height = c.out_height;
    expected_job.repeats = c.network ? std::max(c.repeats, 1) : 0;
    expected_job.filter = c.filter == COCO_BICUBIC ? ResampleFilter::kBicubic : ResampleFilter::kLanczos3;
    std::vector<uint8_t> expected(static_cast<size_t>(c.out_width) * c.out_height), out(expected.size());
    auto reference = ImageSession::create(c.network ? small_cpp_model() : nullptr, expected_job, {}).value();
    REQUIRE(reference
                ->run({in.data(), 23, 23, 17, SampleType::kU8},
                      {expected.data(), c.out_width, c.out_width, c.out_height, SampleType::kU8})
                .ok());

    coco_image_job job = job_of(23, 17, c.out_width, c.out_height);
    job.repeats = c.repeats;
    job.filter = c.filter;
    coco_image_session* made = nullptr;
    require_ok(coco_image_session_create(c.network ? model.get() : nullptr, &job, nullptr, &made));
    const Handle<coco_image_session> session(made);
    require_ok(coco_image_session_run(made, in.data(), 23, out.data(), c.out_width));
    CHECK(out == expected);
    // Bottom-up: the rows of both planes the other way round.
    std::vector<uint8_t> flipped(in.size()), flipped_out(out.size());
    for (int y = 0; y < 17; ++y) std::memcpy(&flipped[y * 23], &in[(16 - y) * 23], 23);
    require_ok(coco_image_session_run(made, &flipped[16 * 23], -23,
                                      &flipped_out[static_cast<size_t>(c.out_height - 1) * c.out_width],
                                      -static_cast<ptrdiff_t>(c.out_width)));
    for (int y = 0; y < c.out_height; ++y)
      CHECK(std::memcmp(&flipped_out[y * c.out_width], &out[(c.out_height - 1 - y) * c.out_width], c.out_width) == 0);
  }
}

TEST_CASE("what stands still is kept, and the statistics say so", "[capi]") {
  const auto in = noise(64 * 48);
  std::vector<uint8_t> out(128 * 96), again(128 * 96);
  const coco_image_job job = job_of(64, 48, 128, 96);
  auto options = sized<coco_session_options>();
  options.reuse = 1;
  coco_image_session* made = nullptr;
  require_ok(coco_image_session_create(small_model().get(), &job, &options, &made));
  const Handle<coco_image_session> session(made);
  // The second frame is seen to stand still, the third is kept.
  for (int frame = 0; frame < 2; ++frame) require_ok(coco_image_session_run(made, in.data(), 64, out.data(), 128));
  require_ok(coco_image_session_run(made, in.data(), 64, again.data(), 128));
  CHECK(out == again);
  auto stats = sized<coco_session_stats>();
  require_ok(coco_image_session_get_stats(made, &stats));
  CHECK(stats.tiles > 0);
  CHECK(stats.kept_tiles == stats.tiles / 3);
  CHECK(std::string(stats.executor) == "line");
}

TEST_CASE("an upscaler makes the frames the C++ API makes, in every format", "[capi]") {
  const auto model = small_model();
  for (const PixelFormat format : kAllFormats) {
    for (const bool network : {true, false}) {
      INFO(to_string(format) << (network ? ", network" : ", resampled"));
      UpscalerConfig expected_config;
      expected_config.format = format;
      expected_config.in_width = 33, expected_config.in_height = 21;
      expected_config.out_width = 66, expected_config.out_height = 42;
      expected_config.chroma_site = ChromaSite::kTopLeft;
      TestFrame in(format, 33, 21), expected(format, 66, 42), out(format, 66, 42, {6, true});
      in.fill_random(3);
      auto reference = Upscaler::create(network ? small_cpp_model() : nullptr, expected_config).value();
      REQUIRE(reference->process(in.view(), expected.view()).ok());

      auto config = sized<coco_upscaler_config>();
      config.in_width = 33, config.in_height = 21, config.out_width = 66, config.out_height = 42;
      config.format = static_cast<coco_pixel_format>(format);
      config.chroma_site = COCO_CHROMA_TOP_LEFT;
      coco_upscaler* made = nullptr;
      require_ok(coco_upscaler_create(network ? model.get() : nullptr, &config, nullptr, &made));
      const Handle<coco_upscaler> upscaler(made);
      const Arrays arrays(in.view(), out.view());
      require_ok(coco_upscaler_process(made, arrays.in, arrays.in_strides, arrays.out, arrays.out_strides));
      CHECK(out.values() == expected.values());
      CHECK(out.canary_intact());
      CHECK(coco_pixel_format_planes(config.format) == plane_count(format));
      auto stats = sized<coco_session_stats>();
      require_ok(coco_upscaler_get_stats(made, &stats));
      CHECK(stats.executor == reference->stats().executor);
    }
  }
}
