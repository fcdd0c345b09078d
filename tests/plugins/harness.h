// Purpose: a GstHarness around one element, and pictures with known bytes to push through it.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <cstring>
#include <string>
#include <vector>

#include "catch.h"
#include "coco/buffer.h"
#include "plugins/support/video_frame.h"

namespace coco::plugins {

/// An element with its pads connected to the test; its bus is kept for messages.
class Harness {
 public:
  explicit Harness(const std::string& launch) {
    gst_init(nullptr, nullptr);
    GError* error = nullptr;
    element_ = gst_parse_launch(launch.c_str(), &error);
    if (error) FAIL(launch << ": " << error->message);
    gst_object_ref_sink(element_);
    bus_ = gst_bus_new();
    gst_element_set_bus(element_, bus_);
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
  }
  ~Harness() {
    gst_harness_teardown(harness_);
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(bus_);
    gst_object_unref(element_);
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  GstHarness* get() { return harness_; }
  GstElement* element() { return element_; }
  std::string text(const char* property) {
    gchar* value = nullptr;
    g_object_get(element_, property, &value, nullptr);
    const std::string copy = value ? value : "";
    g_free(value);
    return copy;
  }
  guint64 frames() {
    guint64 value = 0;
    g_object_get(element_, "frames-processed", &value, nullptr);
    return value;
  }
  /// The first error posted, "" when there is none; `domain` and `code` when wanted.
  std::string error(GQuark* domain = nullptr, int* code = nullptr) {
    GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR);
    if (!message) return "";
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const std::string text = error->message;
    if (domain) *domain = error->domain;
    if (code) *code = error->code;
    g_error_free(error);
    gst_message_unref(message);
    return text;
  }
  /// The structures of the element messages posted, and the texts of warnings.
  std::vector<std::string> element_messages() {
    std::vector<std::string> texts;
    const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING);
    while (GstMessage* message = gst_bus_pop_filtered(bus_, wanted)) {
      gchar* text = gst_structure_to_string(gst_message_get_structure(message));
      texts.emplace_back(text);
      g_free(text);
      gst_message_unref(message);
    }
    return texts;
  }
  /// The caps of what comes out.
  std::string out_caps() {
    GstCaps* caps = gst_pad_get_current_caps(harness_->sinkpad);
    if (!caps) return "";
    gchar* text = gst_caps_to_string(caps);
    const std::string copy = text;
    g_free(text);
    gst_caps_unref(caps);
    return copy;
  }

 private:
  GstElement* element_ = nullptr;
  GstBus* bus_ = nullptr;
  GstHarness* harness_ = nullptr;
};

inline GstVideoInfo info_of(const std::string& caps_text) {
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  GstVideoInfo info;
  REQUIRE(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  return info;
}

/// A buffer for `info` whose rows are `padding` bytes further apart than they need be, with video meta.
inline GstBuffer* new_buffer(const GstVideoInfo& info, int padding) {
  GstVideoInfo padded = info;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_right = padding;
  alignment.padding_top = padding ? 2 : 0;
  gst_video_info_align(&padded, &alignment);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&padded), nullptr);
  gst_buffer_memset(buffer, 0, 0xa5, GST_VIDEO_INFO_SIZE(&padded));
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info),
                                 GST_VIDEO_INFO_N_PLANES(&info), padded.offset, padded.stride);
  return buffer;
}

/// Calls visit(row address, bytes) for every visible row of every plane.
template <typename Visit>
void for_each_row(const MutableFrameView& frame, Visit visit) {
  const bool interleaved = plane_count(frame.format) == 2;
  for (int p = 0; p < plane_count(frame.format); ++p) {
    const int width = p ? (frame.width + 1) / 2 : frame.width, height = p ? (frame.height + 1) / 2 : frame.height;
    const size_t bytes = width * byte_size(sample_type(frame.format)) * (p && interleaved ? 2 : 1);
    for (int y = 0; y < height; ++y) visit(static_cast<uint8_t*>(frame.data[p]) + y * frame.stride[p], bytes);
  }
}

/// A picture that differs with `seed`: a ramp with noise, samples legal for the format.
inline GstBuffer* new_picture(const GstVideoInfo& info, uint32_t seed, int padding = 0) {
  GstBuffer* buffer = new_buffer(info, padding);
  auto mapped = MappedFrame::map(info, buffer, GST_MAP_WRITE);
  REQUIRE(mapped.ok());
  const MutableFrameView view = mapped->mutable_view();
  const SampleType type = sample_type(view.format);
  uint32_t state = seed * 2654435761u + 1;
  int row_number = 0;
  for_each_row(view, [&](uint8_t* row, size_t bytes) {
    ++row_number;
    for (size_t i = 0; i < bytes / byte_size(type); ++i) {
      state = state * 1664525u + 1013904223u;
      const int sample = static_cast<int>(i * 3 + row_number * 5 + seed * 17 + (state >> 28)) % (max_value(type) + 1);
      if (type == SampleType::kU8) {
        row[i] = static_cast<uint8_t>(sample);
      } else {
        const auto word = static_cast<uint16_t>(type == SampleType::kU16Msb10 ? sample << 6 : sample);
        std::memcpy(row + 2 * i, &word, 2);
      }
    }
  });
  return buffer;
}

/// The visible bytes of a buffer, plane after plane.
inline std::vector<uint8_t> bytes_of(const GstVideoInfo& info, GstBuffer* buffer) {
  std::vector<uint8_t> bytes;
  auto mapped = MappedFrame::map(info, buffer, GST_MAP_READ);
  REQUIRE(mapped.ok());
  for_each_row(mapped->mutable_view(),
               [&](const uint8_t* row, size_t count) { bytes.insert(bytes.end(), row, row + count); });
  return bytes;
}

}  // namespace coco::plugins
