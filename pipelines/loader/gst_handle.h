// Purpose: owning handles for GStreamer's reference-counted objects.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace coco::loader {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
template <typename T>
using Handle = std::unique_ptr<T, Unref>;

struct FreeText {
  void operator()(gchar* text) const { g_free(text); }
};
using GText = std::unique_ptr<gchar, FreeText>;

struct UnrefCaps {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsHandle = std::unique_ptr<GstCaps, UnrefCaps>;

struct UnrefMessage {
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using MessageHandle = std::unique_ptr<GstMessage, UnrefMessage>;

/// A GValue that is unset when it goes.
class Value {
 public:
  Value() = default;
  explicit Value(GType type) { g_value_init(&value_, type); }
  Value(Value&& other) noexcept : value_(other.value_) { other.value_ = G_VALUE_INIT; }
  Value& operator=(Value&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Value() {
    if (G_VALUE_TYPE(&value_)) g_value_unset(&value_);
  }
  GValue* get() { return &value_; }
  const GValue* get() const { return &value_; }

 private:
  GValue value_ = G_VALUE_INIT;
};

}  // namespace coco::loader
