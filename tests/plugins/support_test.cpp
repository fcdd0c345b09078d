#include <gst/video/video.h>

#include <string>
#include <vector>

#include "catch.h"
#include "plugins/support/errors.h"
#include "plugins/support/size_caps.h"
#include "plugins/support/video_frame.h"
#include "plugins/support/video_pool.h"

namespace coco::plugins {
namespace {

struct GstStarted {
  GstStarted() { gst_init(nullptr, nullptr); }
} g_started;

struct Fixed {
  int width = 0, height = 0, par_n = 1, par_d = 1;
  bool distorted = false;
};

Fixed fixate(const std::string& in, const std::string& after, double scale) {
  GstCaps* known = gst_caps_from_string(("video/x-raw,format=I420," + in).c_str());
  GstCaps* any = any_size_caps(known, 16384);
  GstCaps* wanted = gst_caps_from_string(after.c_str());
  GstCaps* open = gst_caps_intersect_full(wanted, any, GST_CAPS_INTERSECT_FIRST);
  Fixed result;
  GstCaps* out = fixate_size(known, open, scale, &result.distorted);
  CHECK(gst_caps_is_fixed(out));
  const GstStructure* structure = gst_caps_get_structure(out, 0);
  gst_structure_get_int(structure, "width", &result.width);
  gst_structure_get_int(structure, "height", &result.height);
  gst_structure_get_fraction(structure, "pixel-aspect-ratio", &result.par_n, &result.par_d);
  for (GstCaps* caps : {known, any, wanted, out}) gst_caps_unref(caps);
  return result;
}

struct Negotiation {
  const char* in;
  const char* after;
  double scale;
  Fixed want;
};

TEST_CASE("the output size follows the caps after the element, then the scale") {
  const Negotiation row = GENERATE(values<Negotiation>({
      // Nothing asked for: the scale decides, the pixels keep their shape.
      {"width=640,height=360", "video/x-raw", 2, {1280, 720}},
      {"width=640,height=360", "video/x-raw", 3, {1920, 1080}},
      {"width=641,height=361", "video/x-raw", 2, {1282, 722}},
      {"width=100,height=50", "video/x-raw", 1.5, {150, 75}},
      {"width=1,height=1", "video/x-raw", 0.0625, {1, 1}},
      {"width=640,height=360,pixel-aspect-ratio=4/3", "video/x-raw", 2, {1280, 720, 4, 3}},
      // Larger than an element takes: the largest of that shape.
      {"width=16000,height=8000", "video/x-raw", 2, {16384, 8192}},
      // Both given.
      {"width=1920,height=1080", "video/x-raw,width=3840,height=2160", 2, {3840, 2160}},
      {"width=640,height=480,pixel-aspect-ratio=1/1", "video/x-raw,width=3840,height=2160", 2, {3840, 2160, 3, 4}},
      {"width=720,height=576,pixel-aspect-ratio=16/15", "video/x-raw,width=1440,height=1152", 2, {1440, 1152, 16, 15}},
      {"width=720,height=576,pixel-aspect-ratio=16/15", "video/x-raw,width=768,height=576", 2, {768, 576}},
      {"width=640,height=480", "video/x-raw,width=3840,height=2160", 2, {3840, 2160, 3, 4}},
      // The square pixels asked for cannot keep the shape.
      {"width=640,height=480,pixel-aspect-ratio=1/1",
       "video/x-raw,width=3840,height=2160,pixel-aspect-ratio=1/1",
       2,
       {3840, 2160, 1, 1, true}},
      // One side given: the other follows.
      {"width=1280,height=720", "video/x-raw,width=1920", 2, {1920, 1080}},
      {"width=1280,height=720", "video/x-raw,height=2160", 2, {3840, 2160}},
      {"width=853,height=480,pixel-aspect-ratio=1/1", "video/x-raw,width=1920", 2, {1920, 1080}},
      // Square pixels asked for, size free: the width stretches.
      {"width=720,height=576,pixel-aspect-ratio=16/15", "video/x-raw,pixel-aspect-ratio=1/1", 2, {1536, 1152}},
      {"width=720,height=576,pixel-aspect-ratio=16/15", "video/x-raw,height=576,pixel-aspect-ratio=1/1", 2, {768, 576}},
      // Ranges and lists.
      {"width=1440,height=1080", "video/x-raw,width=[1,1920],height=[1,1080]", 2, {1440, 1080}},
      {"width=1920,height=800", "video/x-raw,width=[1,3840],height=[1,2160]", 4, {3840, 1600}},
      {"width=640,height=360", "video/x-raw,width=[2,4096,2],height=[2,4096,2]", 2, {1280, 720}},
      {"width=640,height=360", "video/x-raw,width={320,960,1920},height={180,540,1080}", 2, {960, 540}},
      {"width=1920,height=1080",
       "video/x-raw,width=1280,height=720;video/x-raw,width=3840,height=2160",
       2,
       {1280, 720}},
  }));
  INFO(row.in << " to " << row.after << " x" << row.scale);
  const Fixed got = fixate(row.in, row.after, row.scale);
  CHECK(got.width == row.want.width);
  CHECK(got.height == row.want.height);
  CHECK(got.par_n == row.want.par_n);
  CHECK(got.par_d == row.want.par_d);
  CHECK(got.distorted == row.want.distorted);
}

TEST_CASE("every field but size and pixel shape stays, and other memory is left out") {
  GstCaps* caps = gst_caps_from_string(
      "video/x-raw(memory:VulkanImage),format=I420,width=2,height=2;"
      "video/x-raw,format=NV12,width=64,height=32,framerate=24000/1001,colorimetry=bt2020,chroma-site=jpeg,"
      "interlace-mode=progressive,pixel-aspect-ratio=4/3");
  GstCaps* out = any_size_caps(caps, 100);
  REQUIRE(gst_caps_get_size(out) == 1);
  GstCaps* want = gst_caps_from_string(
      "video/x-raw,format=NV12,width=[1,100],height=[1,100],framerate=24000/1001,colorimetry=bt2020,chroma-site=jpeg,"
      "interlace-mode=progressive,pixel-aspect-ratio=[1/2147483647,2147483647/1]");
  CHECK(gst_caps_is_equal(out, want));
  for (GstCaps* each : {caps, out, want}) gst_caps_unref(each);
}

TEST_CASE("chroma sitings map to the nearest one known") {
  CHECK(chroma_site_of(GST_VIDEO_CHROMA_SITE_UNKNOWN) == ChromaSite::kLeft);
  CHECK(chroma_site_of(GST_VIDEO_CHROMA_SITE_MPEG2) == ChromaSite::kLeft);
  CHECK(chroma_site_of(GST_VIDEO_CHROMA_SITE_JPEG) == ChromaSite::kCenter);
  CHECK(chroma_site_of(GST_VIDEO_CHROMA_SITE_COSITED) == ChromaSite::kTopLeft);
  CHECK(chroma_site_of(GST_VIDEO_CHROMA_SITE_DV) == ChromaSite::kTopLeft);
}

GstVideoInfo info_of(GstVideoFormat format, guint width, guint height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, width, height);
  return info;
}

TEST_CASE("a mapped frame shows the buffer's own strides") {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 33, 17);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 17 + 96 * 9 + 10, nullptr);
  gsize offset[GST_VIDEO_MAX_PLANES] = {10, 10 + 64 * 17};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 96};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 33, 17, 2, offset, stride);
  {
    auto frame = MappedFrame::map(info, buffer, GST_MAP_READ);
    REQUIRE(frame.ok());
    const FrameView view = frame->view();
    CHECK(view.format == PixelFormat::kNv12);
    CHECK(view.width == 33);
    CHECK(view.height == 17);
    CHECK(view.stride[0] == 64);
    CHECK(view.stride[1] == 96);
    CHECK(static_cast<const char*>(view.data[1]) - static_cast<const char*>(view.data[0]) == 64 * 17);
  }
  gst_buffer_unref(buffer);
}

TEST_CASE("a buffer that does not hold its picture is refused") {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_I420, 64, 32);
  const gsize whole = GST_VIDEO_INFO_SIZE(&info);
  GstBuffer* small = gst_buffer_new_allocate(nullptr, whole - 1, nullptr);
  CHECK_FALSE(MappedFrame::map(info, small, GST_MAP_READ).ok());
  gst_buffer_unref(small);

  struct Meta {
    GstVideoFormat format;
    guint width, height;
    gsize last_offset;
    gint last_stride;
  };
  const Meta meta = GENERATE_COPY(values<Meta>({
      {GST_VIDEO_FORMAT_NV12, 64, 32, 2560, 32},        // another format
      {GST_VIDEO_FORMAT_I420, 32, 32, 2560, 32},        // a narrower picture
      {GST_VIDEO_FORMAT_I420, 64, 16, 2560, 32},        // a lower one
      {GST_VIDEO_FORMAT_I420, 64, 32, 2560, 33},        // the last row leaves the memory
      {GST_VIDEO_FORMAT_I420, 64, 32, whole - 16, 32},  // the plane starts too late
  }));
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, whole, nullptr);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0, 2048, meta.last_offset};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 32, meta.last_stride};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, meta.format, meta.width, meta.height,
                                 meta.format == GST_VIDEO_FORMAT_NV12 ? 2 : 3, offset, stride);
  const auto frame = MappedFrame::map(info, buffer, GST_MAP_READ);
  REQUIRE_FALSE(frame.ok());
  CHECK(frame.error().code == ErrorCode::kInvalidData);
  gst_buffer_unref(buffer);
}

TEST_CASE("our alignment is offered upstream") {
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=I420,width=33,height=17,framerate=1/1");
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  REQUIRE(propose_video_pool(query));
  CHECK(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  REQUIRE(gst_query_get_n_allocation_params(query) == 1);
  GstAllocationParams params;
  gst_query_parse_nth_allocation_param(query, 0, nullptr, &params);
  CHECK(params.align + 1 >= kBufferAlignment);
  CHECK(params.padding >= kReadPadding);
  REQUIRE(gst_query_get_n_allocation_pools(query) == 1);
  GstBufferPool* pool = nullptr;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, nullptr, nullptr);
  REQUIRE(gst_buffer_pool_set_active(pool, TRUE));
  GstBuffer* buffer = nullptr;
  REQUIRE(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr) == GST_FLOW_OK);
  {
    const auto frame = MappedFrame::map(info_of(GST_VIDEO_FORMAT_I420, 33, 17), buffer, GST_MAP_READ);
    REQUIRE(frame.ok());
    for (int p = 0; p < 3; ++p) {
      CHECK(frame->view().stride[p] % kBufferAlignment == 0);
      CHECK(reinterpret_cast<uintptr_t>(frame->view().data[p]) % kBufferAlignment == 0);
    }
  }
  gst_buffer_unref(buffer);
  gst_buffer_pool_set_active(pool, FALSE);
  gst_object_unref(pool);
  gst_query_unref(query);
  gst_caps_unref(caps);
}

TEST_CASE("an exception in a vfunc's body becomes a message") {
  GstElement* element = gst_element_factory_make("fakesink", nullptr);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  const bool outcome = guarded(element, false, []() -> bool { throw std::bad_alloc(); });
  CHECK_FALSE(outcome);
  GstMessage* message = gst_bus_pop(bus);
  REQUIRE(message);
  CHECK(GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR);
  gst_message_unref(message);

  post_error(element, make_error(ErrorCode::kNotFound, "no such thing"));
  message = gst_bus_pop(bus);
  REQUIRE(message);
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  CHECK(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
  CHECK(std::string(error->message) == "no such thing");
  g_error_free(error);
  gst_message_unref(message);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(bus);
  gst_object_unref(element);
}

}  // namespace
}  // namespace coco::plugins
