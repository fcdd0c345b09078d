#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "catch.h"
#include "coco/disclosure.h"
#include "tests/plugins/harness.h"

namespace coco::plugins {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCaps = "video/x-raw,format=I420,width=320,height=240,framerate=10/1";

/// Pushes a grey picture of this time and returns how many samples of its upper right corner are light.
int light_after(Harness& harness, double seconds) {
  GstVideoInfo info = info_of(kCaps);
  GstBuffer* picture = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  gst_buffer_memset(picture, 0, 100, GST_VIDEO_INFO_SIZE(&info));
  GST_BUFFER_PTS(picture) = static_cast<GstClockTime>(seconds * GST_SECOND);
  GstBuffer* result = gst_harness_push_and_pull(harness.get(), picture);
  REQUIRE(result != nullptr);
  GstMapInfo map;
  REQUIRE(gst_buffer_map(result, &map, GST_MAP_READ));
  int light = 0;
  for (int y = 0; y < 80; ++y) {
    for (int x = 160; x < 320; ++x) light += map.data[y * 320 + x] > 200 ? 1 : 0;
  }
  gst_buffer_unmap(result, &map);
  gst_buffer_unref(result);
  return light;
}

}  // namespace

TEST_CASE("cocodisclose: in full at first and after a change of source, then a corner mark, nothing on what is real") {
  Harness harness("cocodisclose");
  gst_harness_set_src_caps_str(harness.get(), kCaps);
  const int full = light_after(harness, 0);
  CHECK(full > 300);
  CHECK(harness.text("label") == "full");
  const int corner = light_after(harness, 2.9);
  CHECK(corner > 60);
  CHECK(corner < full / 2);
  CHECK(harness.text("label") == "corner");
  g_object_set(harness.element(), "source", "ben", nullptr);
  CHECK(light_after(harness, 3.0) == full);
  g_object_set(harness.element(), "altered", FALSE, nullptr);
  CHECK(light_after(harness, 5.9) == 0);
  CHECK(harness.text("label") == "none");
  CHECK(harness.frames() == 4);
}

TEST_CASE("cocodisclose: metadata travels as a comment tag, and belongs to the mark") {
  Harness harness("cocodisclose provider=me content-id=17 mark-strength=2");
  gst_harness_set_src_caps_str(harness.get(), kCaps);
  auto detector = vision::MarkDetector::create(PixelFormat::kI420, 320, 240).value();
  GstVideoInfo info = info_of(kCaps);
  for (int i = 0; i < 8; ++i) {
    GstBuffer* picture = new_picture(info, static_cast<uint32_t>(i + 1));
    GstBuffer* result = gst_harness_push_and_pull(harness.get(), picture);
    {
      const auto frame = MappedFrame::map(info, result, GST_MAP_READ);
      REQUIRE(frame.ok());
      CHECK(detector->add(frame->view()).ok());
    }
    gst_buffer_unref(result);
  }
  std::string comment;
  while (GstEvent* event = gst_harness_try_pull_event(harness.get())) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
      GstTagList* tags = nullptr;
      gst_event_parse_tag(event, &tags);
      gchar* text = nullptr;
      if (gst_tag_list_get_string(tags, GST_TAG_COMMENT, &text)) comment = text;
      g_free(text);
    }
    gst_event_unref(event);
  }
  REQUIRE(comment.rfind("AIGC=", 0) == 0);
  const auto origin = vision::read_aigc_metadata(comment.substr(5));
  REQUIRE(origin.has_value());
  CHECK(origin->producer == "me");
  CHECK(origin->id == "17");
  const auto finding = detector->find();
  CHECK(finding.found);
  CHECK(finding.payload == vision::mark_payload(*origin));
}

TEST_CASE("cocodisclose: a policy is read and logged, or the pipeline does not start") {
  const testing::TempDir folder;
  const std::string policy = folder / "policy.json", log = folder / "log.jsonl";
  std::ofstream(policy) << R"({"waive_visible_label": true, "responsible": "a", "reason": "b", "agreed": "c"})";
  {
    Harness harness("cocodisclose mark=false policy=" + policy + " log=" + log);
    gst_harness_set_src_caps_str(harness.get(), kCaps);
    CHECK(light_after(harness, 0) == 0);
  }
  std::ifstream stream(log);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  CHECK(text.find("label waived") != std::string::npos);
  CHECK(text.find("\"stop\"") != std::string::npos);

  const auto refused = [](const std::string& launch, const char* reason) {
    gst_init(nullptr, nullptr);
    GError* error = nullptr;
    GstElement* pipeline = gst_parse_launch(("videotestsrc num-buffers=1 ! " + launch + " ! fakesink").c_str(), &error);
    REQUIRE(error == nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, GST_MESSAGE_ERROR);
    REQUIRE(message != nullptr);
    gst_message_parse_error(message, &error, nullptr);
    CHECK_THAT(std::string(error->message), ContainsSubstring(reason));
    g_error_free(error);
    gst_message_unref(message);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  };
  refused("cocodisclose policy=" + policy, "log");
  refused("cocodisclose policy=" + (folder / "nowhere.json"), "nowhere.json");
  refused("cocodisclose log=" + (folder / "nowhere/log"), "nowhere/log");
  if (fs::exists("/dev/full")) refused("cocodisclose log=/dev/full", "/dev/full");
}

}  // namespace coco::plugins
