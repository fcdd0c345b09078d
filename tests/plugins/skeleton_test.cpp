#include "plugins/skeleton/gstcocoskeleton.h"

#include "catch.h"
#include "tests/plugins/harness.h"

namespace coco::plugins {
namespace {

TEST_CASE("the skeleton lets frames pass and counts them") {
  gst_init(nullptr, nullptr);
  REQUIRE(GST_ELEMENT_REGISTER(cocoskeleton, nullptr));
  Harness harness("cocoskeleton");
  const std::string caps = "video/x-raw,format=NV12,width=16,height=12,framerate=25/1";
  gst_harness_set_src_caps_str(harness.get(), caps.c_str());
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    GstBuffer* picture = new_picture(info_of(caps), seed);
    GstBuffer* result = gst_harness_push_and_pull(harness.get(), gst_buffer_ref(picture));
    CHECK(result == picture);
    gst_buffer_unref(result);
    gst_buffer_unref(picture);
  }
  CHECK(harness.frames() == 3);
}

}  // namespace
}  // namespace coco::plugins
