#include <gst/video/video.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "catch.h"
#include "coco/compile.h"
#include "coco/vision.h"
#include "coco/vulkan.h"
#include "tests/base/temp_dir.h"
#include "tests/plugins/harness.h"

namespace coco::plugins {
namespace {

std::string caps(const char* format, int width, int height, const std::string& more = "") {
  return std::string("video/x-raw,format=") + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=25/1" + more;
}

/// What coco::vision::Upscaler makes of the same picture.
std::vector<uint8_t> expected(const std::string& model_name, const GstVideoInfo& in, GstBuffer* picture,
                              const GstVideoInfo& out) {
  vision::set_model_loader(load_or_compile);
  auto model = vision::load_upscale_model(model_name);
  REQUIRE(model.ok());
  vision::UpscalerConfig config;
  config.format = *pixel_format_of(GST_VIDEO_INFO_FORMAT(&in));
  config.in_width = GST_VIDEO_INFO_WIDTH(&in);
  config.in_height = GST_VIDEO_INFO_HEIGHT(&in);
  config.out_width = GST_VIDEO_INFO_WIDTH(&out);
  config.out_height = GST_VIDEO_INFO_HEIGHT(&out);
  config.chroma_site = chroma_site_of(GST_VIDEO_INFO_CHROMA_SITE(&in));
  auto upscaler = vision::Upscaler::create(*model, config);
  REQUIRE(upscaler.ok());
  GstBuffer* result = new_buffer(out, 0);
  {
    const auto source = MappedFrame::map(in, picture, GST_MAP_READ);
    const auto target = MappedFrame::map(out, result, GST_MAP_WRITE);
    REQUIRE((source.ok() && target.ok()));
    REQUIRE((*upscaler)->process(source->view(), target->mutable_view()).ok());
  }
  std::vector<uint8_t> bytes = bytes_of(out, result);
  gst_buffer_unref(result);
  return bytes;
}

/// Pushes a picture and compares what comes out with the Upscaler's own result.
void check_frame(Harness& harness, const std::string& model, const std::string& in_caps, const std::string& out_caps,
                 uint32_t seed, int padding = 0) {
  const GstVideoInfo in = info_of(in_caps), out = info_of(out_caps);
  GstBuffer* picture = new_picture(in, seed, padding);
  GST_BUFFER_PTS(picture) = seed * GST_SECOND;
  const std::vector<uint8_t> want = expected(model, in, picture, out);
  GstBuffer* result = gst_harness_push_and_pull(harness.get(), picture);
  INFO(harness.error());
  REQUIRE(result);
  CHECK(GST_BUFFER_PTS(result) == seed * GST_SECOND);
  CHECK((bytes_of(out, result) == want));
  gst_buffer_unref(result);
}

struct Shape {
  int in_width, in_height, out_width, out_height, padding;
};

TEST_CASE("a frame is the Upscaler's, byte for byte, whatever the format, size and strides") {
  const char* format = GENERATE("I420", "NV12", "GRAY8", "I420_10LE", "P010_10LE");
  const Shape shape = GENERATE(Shape{16, 12, 32, 24, 0}, Shape{33, 17, 66, 34, 5}, Shape{21, 35, 100, 50, 64},
                               Shape{40, 30, 20, 15, 3}, Shape{1, 1, 2, 2, 0});
  const char* site = GENERATE("mpeg2", "jpeg");
  const std::string model = "bicubic";
  INFO(format << " " << shape.in_width << "x" << shape.in_height << " to " << shape.out_width << "x" << shape.out_height
              << " " << site);
  const std::string more = std::string(format) == "GRAY8" ? "" : std::string(",chroma-site=") + site;
  const std::string in = caps(format, shape.in_width, shape.in_height, more);
  const std::string out = caps(format, shape.out_width, shape.out_height, more);
  Harness harness("cocoupscale model=" + model);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  gst_harness_set_sink_caps_str(harness.get(), caps(format, shape.out_width, shape.out_height).c_str());
  check_frame(harness, model, in, out, 3, shape.padding);
  check_frame(harness, model, in, out, 4, shape.padding);
  CHECK(harness.frames() == 2);
}

TEST_CASE("the shipped network and any number of threads give the Upscaler's bytes") {
  const int threads = GENERATE(1, 2, 3);
  Harness harness("cocoupscale model=sr2x-s threads=" + std::to_string(threads));
  const std::string in = caps("I420", 70, 41), out = caps("I420", 140, 82);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "sr2x-s", in, out, 7);
  CHECK(harness.text("active-model") == "sr2x-s");
  CHECK(harness.text("active-path").rfind("cpu:", 0) == 0);
}

TEST_CASE("tune=true fills the tuning cache and leaves the bytes as they are") {
  const char* const before = std::getenv("COCO_TUNING_DIR");
  const std::string kept = before ? before : "";
  const testing::TempDir cache;
  setenv("COCO_TUNING_DIR", cache.path.c_str(), 1);
  const std::string in = caps("I420", 70, 41), out = caps("I420", 140, 82);
  for (const bool tune : {false, true}) {
    Harness harness(std::string("cocoupscale model=sr2x-s threads=1 tune=") + (tune ? "true" : "false"));
    gst_harness_set_src_caps_str(harness.get(), in.c_str());
    check_frame(harness, "sr2x-s", in, out, 7);
    CHECK(cache.entries() == (tune ? 1 : 0));
  }
  if (before)
    setenv("COCO_TUNING_DIR", kept.c_str(), 1);
  else
    unsetenv("COCO_TUNING_DIR");
}

TEST_CASE("what the caps say besides the size is kept") {
  Harness harness("cocoupscale model=bicubic scale=3");
  const std::string in = caps("NV12", 20, 10,
                              ",colorimetry=bt709,chroma-site=jpeg,interlace-mode=progressive,multiview-mode=mono,"
                              "pixel-aspect-ratio=4/3");
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "bicubic", in, caps("NV12", 60, 30, ",chroma-site=jpeg"), 1);
  GstCaps* got = gst_caps_from_string(harness.out_caps().c_str());
  GstCaps* want = gst_caps_from_string(
      caps("NV12", 60, 30,
           ",colorimetry=bt709,chroma-site=jpeg,interlace-mode=progressive,multiview-mode=mono,pixel-aspect-ratio=4/3")
          .c_str());
  CHECK(gst_caps_is_equal(got, want));
  gst_caps_unref(got);
  gst_caps_unref(want);
}

TEST_CASE("the stream may change its size and format at any time") {
  Harness harness("cocoupscale model=bicubic");
  uint32_t seed = 0;
  for (const Shape& shape : {Shape{16, 12, 32, 24, 0}, Shape{48, 20, 96, 40, 0}, Shape{7, 9, 14, 18, 0}}) {
    for (const char* format : {"I420", "P010_10LE", "GRAY8"}) {
      const std::string in = caps(format, shape.in_width, shape.in_height);
      gst_harness_set_src_caps_str(harness.get(), in.c_str());
      for (int i = 0; i < 2; ++i) {
        check_frame(harness, "bicubic", in, caps(format, shape.out_width, shape.out_height), ++seed);
      }
    }
  }
  CHECK(harness.frames() == seed);
}

TEST_CASE("one output size stays while the input changes under it") {
  Harness harness("cocoupscale model=bicubic");
  gst_harness_set_sink_caps_str(harness.get(), "video/x-raw,width=64,height=36");
  uint32_t seed = 0;
  for (const Shape& shape : {Shape{16, 9, 0, 0, 0}, Shape{33, 19, 0, 0, 0}, Shape{128, 72, 0, 0, 0}}) {
    const std::string in = caps("I420", shape.in_width, shape.in_height, ",pixel-aspect-ratio=1/1");
    gst_harness_set_src_caps_str(harness.get(), in.c_str());
    check_frame(harness, "bicubic", in, caps("I420", 64, 36), ++seed);
  }
}

TEST_CASE("a new scale takes effect while playing") {
  Harness harness("cocoupscale model=bicubic scale=2");
  const std::string in = caps("I420", 16, 12);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "bicubic", in, caps("I420", 32, 24), 1);
  g_object_set(harness.element(), "scale", 3.0, nullptr);
  check_frame(harness, "bicubic", in, caps("I420", 48, 36), 2);
}

TEST_CASE("equal sizes pass through as the same buffer") {
  Harness harness("cocoupscale model=bicubic");
  const std::string in = caps("NV12", 16, 12);
  gst_harness_set_sink_caps_str(harness.get(), "video/x-raw,width=16,height=12");
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  GstBuffer* picture = new_picture(info_of(in), 1);
  GstBuffer* result = gst_harness_push_and_pull(harness.get(), gst_buffer_ref(picture));
  CHECK(result == picture);
  CHECK(harness.text("active-path") == "passthrough");
  CHECK(harness.frames() == 0);
  gst_buffer_unref(result);
  gst_buffer_unref(picture);
}

TEST_CASE("downstream's wish for video meta decides the strides of the output") {
  const bool meta = GENERATE(false, true);
  Harness harness("cocoupscale model=bicubic");
  if (meta) gst_harness_add_propose_allocation_meta(harness.get(), GST_VIDEO_META_API_TYPE, nullptr);
  const std::string in = caps("I420", 17, 12);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  GstBuffer* result = gst_harness_push_and_pull(harness.get(), new_picture(info_of(in), 1));
  REQUIRE(result);
  const GstVideoInfo out = info_of(caps("I420", 34, 24));
  {
    const auto mapped = MappedFrame::map(out, result, GST_MAP_READ);
    REQUIRE(mapped.ok());
    for (int p = 0; p < 3; ++p) {
      CHECK((meta ? mapped->view().stride[p] % 64 == 0
                  : mapped->view().stride[p] == GST_VIDEO_INFO_PLANE_STRIDE(&out, p)));
    }
  }
  gst_buffer_unref(result);
}

TEST_CASE("flush, seek and end of stream pass, and frames go on after a flush") {
  Harness harness("cocoupscale model=bicubic");
  const std::string in = caps("I420", 16, 12), out = caps("I420", 32, 24);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "bicubic", in, out, 1);
  while (GstEvent* event = gst_harness_try_pull_event(harness.get())) gst_event_unref(event);

  const auto passes = [&](GstEvent* event) {
    const GstEventType type = GST_EVENT_TYPE(event);
    CHECK(gst_harness_push_event(harness.get(), event));
    GstEvent* got = gst_harness_try_pull_event(harness.get());
    REQUIRE(got);
    CHECK(GST_EVENT_TYPE(got) == type);
    gst_event_unref(got);
  };
  passes(gst_event_new_flush_start());
  passes(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  passes(gst_event_new_segment(&segment));
  check_frame(harness, "bicubic", in, out, 2);

  while (GstEvent* event = gst_harness_try_pull_upstream_event(harness.get())) gst_event_unref(event);
  gst_harness_push_upstream_event(
      harness.get(), gst_event_new_seek(1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, GST_SECOND,
                                        GST_SEEK_TYPE_NONE, 0));
  GstEvent* seek = gst_harness_try_pull_upstream_event(harness.get());
  REQUIRE(seek);
  CHECK(GST_EVENT_TYPE(seek) == GST_EVENT_SEEK);
  gst_event_unref(seek);
  passes(gst_event_new_eos());
}

TEST_CASE("a pointer in the large picture is told upstream in the small one's pixels") {
  Harness harness("cocoupscale model=bicubic");
  const std::string in = caps("I420", 16, 12);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "bicubic", in, caps("I420", 32, 24), 1);
  while (GstEvent* event = gst_harness_try_pull_upstream_event(harness.get())) gst_event_unref(event);
  gst_harness_push_upstream_event(
      harness.get(), gst_event_new_navigation(gst_structure_new(
                         "application/x-gst-navigation", "event", G_TYPE_STRING, "mouse-move", "button", G_TYPE_INT, 0,
                         "pointer_x", G_TYPE_DOUBLE, 30.0, "pointer_y", G_TYPE_DOUBLE, 11.0, nullptr)));
  GstEvent* moved = gst_harness_try_pull_upstream_event(harness.get());
  REQUIRE(moved);
  gdouble x = 0, y = 0;
  CHECK(gst_navigation_event_get_coordinates(moved, &x, &y));
  CHECK(x == 15.0);
  CHECK(y == 5.5);
  gst_event_unref(moved);
}

TEST_CASE("latency is the input's, and late frames are skipped") {
  Harness harness("cocoupscale model=bicubic");
  gst_harness_set_upstream_latency(harness.get(), 40 * GST_MSECOND);
  const std::string in = caps("I420", 16, 12), out = caps("I420", 32, 24);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  CHECK(gst_harness_query_latency(harness.get()) == 40 * GST_MSECOND);
  check_frame(harness, "bicubic", in, out, 1);
  gst_harness_push_upstream_event(harness.get(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 5 * GST_SECOND, GST_SECOND));
  GstBuffer* late = new_picture(info_of(in), 2);
  GST_BUFFER_PTS(late) = 2 * GST_SECOND;
  CHECK(gst_harness_push(harness.get(), late) == GST_FLOW_OK);
  CHECK(gst_harness_try_pull(harness.get()) == nullptr);
  CHECK(harness.frames() == 1);
  check_frame(harness, "bicubic", in, out, 60);
}

TEST_CASE("regions of interest grow with the picture, and what describes the old memory stays behind") {
  Harness harness("cocoupscale model=bicubic scale=3");
  const std::string in = caps("I420", 16, 12);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  GstBuffer* picture = new_picture(info_of(in), 1, 32);
  gst_buffer_add_video_region_of_interest_meta(picture, "face", 2, 3, 4, 5);
  GstBuffer* result = gst_harness_push_and_pull(harness.get(), picture);
  REQUIRE(result);
  const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(
      gst_buffer_get_meta(result, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
  REQUIRE(region);
  CHECK(region->x == 6);
  CHECK(region->y == 9);
  CHECK(region->w == 12);
  CHECK(region->h == 15);
  const GstVideoMeta* meta = gst_buffer_get_video_meta(result);
  if (meta) CHECK(meta->width == 48);
  gst_buffer_unref(result);
}

struct Posted {
  GQuark domain = 0;
  int code = 0;
  std::string text;
};

/// What the element posts when it cannot start.
Posted start_failure(const char* property, const std::string& value) {
  gst_init(nullptr, nullptr);
  GstElement* element = gst_element_factory_make("cocoupscale", nullptr);
  REQUIRE(element);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  g_object_set(element, property, value.c_str(), nullptr);
  CHECK(gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  Posted posted;
  if (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    posted = {error->domain, error->code, error->message};
    g_error_free(error);
    gst_message_unref(message);
  }
  gst_element_set_state(element, GST_STATE_NULL);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(bus);
  gst_object_unref(element);
  return posted;
}

TEST_CASE("a model that is not there is named, with those that are") {
  const Posted posted = start_failure("model", "no-such-model");
  CHECK(posted.domain == GST_RESOURCE_ERROR);
  CHECK(posted.code == GST_RESOURCE_ERROR_NOT_FOUND);
  CHECK(posted.text.find("no-such-model") != std::string::npos);
  CHECK(posted.text.find("bicubic") != std::string::npos);
}

TEST_CASE("a damaged model file is told from a missing one") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "coco_damaged_model_test.coco";
  std::ofstream(path) << "this is not a model";
  const Posted posted = start_failure("model", path.string());
  CHECK(posted.domain == GST_RESOURCE_ERROR);
  CHECK(posted.code == GST_RESOURCE_ERROR_READ);
  CHECK(posted.text.find(path.string()) != std::string::npos);
  std::filesystem::remove(path);
}

TEST_CASE("interlaced video is refused with the way out, unless it only passes through") {
  const std::string in = caps("I420", 16, 12, ",interlace-mode=interleaved");
  {
    Harness harness("cocoupscale model=bicubic");
    gst_harness_set_src_caps_str(harness.get(), in.c_str());
    CHECK(gst_harness_push(harness.get(), new_picture(info_of(in), 1)) == GST_FLOW_NOT_NEGOTIATED);
    CHECK(harness.error().find("deinterlace") != std::string::npos);
  }
  Harness harness("cocoupscale model=bicubic");
  gst_harness_set_sink_caps_str(harness.get(), "video/x-raw,width=16,height=12");
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  CHECK(gst_harness_push(harness.get(), new_picture(info_of(in), 1)) == GST_FLOW_OK);
}

TEST_CASE("a buffer smaller than its caps say ends the stream with a message") {
  Harness harness("cocoupscale model=bicubic");
  gst_harness_set_src_caps_str(harness.get(), caps("I420", 16, 12).c_str());
  CHECK(gst_harness_push(harness.get(), gst_buffer_new_allocate(nullptr, 10, nullptr)) == GST_FLOW_ERROR);
  CHECK(harness.error().find("does not hold the I420 16x12 picture") != std::string::npos);
}

TEST_CASE("formats it does not know are refused in negotiation") {
  Harness harness("cocoupscale model=bicubic");
  gst_harness_set_src_caps_str(harness.get(), "video/x-raw,format=RGB,width=16,height=12,framerate=25/1");
  CHECK(gst_harness_push(harness.get(), gst_buffer_new_allocate(nullptr, 16 * 12 * 3, nullptr)) ==
        GST_FLOW_NOT_NEGOTIATED);
}

TEST_CASE("the element can be stopped and used again") {
  Harness harness("cocoupscale model=bicubic");
  const std::string in = caps("I420", 16, 12), out = caps("I420", 32, 24);
  for (uint32_t round = 1; round <= 3; ++round) {
    gst_harness_set_src_caps_str(harness.get(), in.c_str());
    check_frame(harness, "bicubic", in, out, round);
    CHECK(harness.frames() == 1);
    CHECK(gst_element_set_state(harness.element(), GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
    CHECK(harness.text("active-model").empty());
    CHECK(gst_element_set_state(harness.element(), GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS);
  }
}

/// Whether there is a Vulkan device to test on; says so where not.
bool has_vulkan() {
#if defined(__SANITIZE_ADDRESS__)
  // lavapipe's compiler registers what it has compiled under a lock of the unwinder, and allocates: AddressSanitizer,
  // which unwinds slowly here for GLib's sake, then waits for that lock for ever.
  std::printf("skipped: no Vulkan under AddressSanitizer\n");
  return false;
#endif
  const auto device = VulkanDevice::open(-1);
  if (!device.ok()) std::printf("skipped: %s\n", device.error().message.c_str());
  return device.ok();
}

TEST_CASE("on a Vulkan device a frame has the CPU's bytes, while size and format change") {
  if (!has_vulkan()) return;
  Harness harness("cocoupscale model=sr2x-s device=vulkan verify=2");
  for (const char* format : {"I420", "P010_10LE", "GRAY8"}) {
    for (const auto& [width, height] : {std::pair{36, 22}, std::pair{21, 15}}) {
      INFO(format << " " << width << "x" << height);
      const std::string in = caps(format, width, height), out = caps(format, 2 * width, 2 * height);
      gst_harness_set_src_caps_str(harness.get(), in.c_str());
      for (uint32_t seed = 3; seed < 6; ++seed) check_frame(harness, "sr2x-s", in, out, seed);
      CHECK(harness.text("active-path").rfind("vulkan:", 0) == 0);
    }
  }
  CHECK(harness.element_messages().empty());
}

TEST_CASE("verify on the CPU asks the Vulkan device, and equal frames are no message") {
  if (!has_vulkan()) return;
  Harness harness("cocoupscale model=sr2x-bicubic device=cpu verify=1");
  const std::string in = caps("NV12", 30, 20), out = caps("NV12", 60, 40);
  gst_harness_set_src_caps_str(harness.get(), in.c_str());
  check_frame(harness, "sr2x-bicubic", in, out, 3);
  CHECK(harness.text("active-path").rfind("cpu:", 0) == 0);
  CHECK(harness.element_messages().empty());
}

TEST_CASE("a device that is not there is a message that says so") {
  for (const char* name : {"gpu", "vulkan:x", "vulkan:"}) {
    const Posted posted = start_failure("device", name);
    CHECK(posted.domain == GST_LIBRARY_ERROR);
    CHECK(posted.text == "there is no device '" + std::string(name) + "'; known: cpu, vulkan, vulkan:INDEX");
  }
  if (!has_vulkan()) return;
  const Posted posted = start_failure("device", "vulkan:99");
  CHECK(posted.code == GST_RESOURCE_ERROR_NOT_FOUND);
  CHECK_THAT(posted.text, ContainsSubstring("99"));
}

TEST_CASE("properties hold what they are given") {
  Harness harness(
      "cocoupscale model=lanczos scale=1.5 threads=2 device=cpu fallback=false verify=7 reuse=false qos=false");
  CHECK(harness.text("model") == "lanczos");
  CHECK(harness.text("device") == "cpu");
  gdouble scale = 0;
  guint threads = 0, verify = 0;
  gboolean fallback = TRUE, reuse = TRUE, tune = TRUE, qos = TRUE;
  g_object_get(harness.element(), "scale", &scale, "threads", &threads, "verify", &verify, "fallback", &fallback,
               "reuse", &reuse, "tune", &tune, "qos", &qos, nullptr);
  CHECK(scale == 1.5);
  CHECK(threads == 2);
  CHECK(verify == 7);
  CHECK_FALSE(fallback);
  CHECK_FALSE(reuse);
  CHECK_FALSE(tune);
  CHECK_FALSE(qos);
  g_object_set(harness.element(), "model", nullptr, nullptr);
  CHECK(harness.text("model") == "sr2x-s");
}

}  // namespace
}  // namespace coco::plugins
