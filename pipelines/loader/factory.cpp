#include "pipelines/loader/factory.h"

#include <filesystem>
#include <system_error>

#include "pipelines/loader/message.h"
#include "pipelines/loader/property.h"

namespace coco::loader {
namespace {

struct Provider {
  const char* factory;
  const char* package;
};
/// Debian's packages for elements people write in pipelines. The first match wins; "x*" matches a prefix.
constexpr Provider kProviders[] = {
    {"x264enc", "gstreamer1.0-plugins-ugly"},
    {"a52dec", "gstreamer1.0-plugins-ugly"},
    {"av*", "gstreamer1.0-libav"},
    {"x265enc", "gstreamer1.0-plugins-bad"},
    {"openh264*", "gstreamer1.0-plugins-bad"},
    {"h26*", "gstreamer1.0-plugins-bad"},
    {"vulkan*", "gstreamer1.0-plugins-bad"},
    {"kmssink", "gstreamer1.0-plugins-bad"},
    {"waylandsink", "gstreamer1.0-plugins-bad"},
    {"videocodectestsink", "gstreamer1.0-plugins-bad"},
    {"fakevideosink", "gstreamer1.0-plugins-bad"},
    {"rtmp*", "gstreamer1.0-plugins-bad"},
    {"srt*", "gstreamer1.0-plugins-bad"},
    {"voaacenc", "gstreamer1.0-plugins-bad"},
    {"faac", "gstreamer1.0-plugins-bad"},
    {"mpegts*", "gstreamer1.0-plugins-bad"},
    {"hls*", "gstreamer1.0-plugins-bad"},
    {"qtdemux", "gstreamer1.0-plugins-good"},
    {"mp4mux", "gstreamer1.0-plugins-good"},
    {"matroska*", "gstreamer1.0-plugins-good"},
    {"vp8*", "gstreamer1.0-plugins-good"},
    {"vp9*", "gstreamer1.0-plugins-good"},
    {"v4l2*", "gstreamer1.0-plugins-good"},
    {"auto*", "gstreamer1.0-plugins-good"},
    {"flac*", "gstreamer1.0-plugins-good"},
    {"rtsp*", "gstreamer1.0-plugins-good"},
    {"rtp*", "gstreamer1.0-plugins-good"},
    {"udp*", "gstreamer1.0-plugins-good"},
    {"deinterlace", "gstreamer1.0-plugins-good"},
    {"png*", "gstreamer1.0-plugins-good"},
    {"jpeg*", "gstreamer1.0-plugins-good"},
    {"pulse*", "gstreamer1.0-plugins-good"},
    {"gl*", "gstreamer1.0-gl"},
    {"ximagesink", "gstreamer1.0-x"},
    {"xvimagesink", "gstreamer1.0-x"},
    {"alsa*", "gstreamer1.0-alsa"},
    {"decodebin*", "gstreamer1.0-plugins-base"},
    {"uridecodebin*", "gstreamer1.0-plugins-base"},
    {"playbin*", "gstreamer1.0-plugins-base"},
    {"video*", "gstreamer1.0-plugins-base"},
    {"audio*", "gstreamer1.0-plugins-base"},
    {"opus*", "gstreamer1.0-plugins-base"},
    {"vorbis*", "gstreamer1.0-plugins-base"},
    {"ogg*", "gstreamer1.0-plugins-base"},
    {"theora*", "gstreamer1.0-plugins-base"},
    {"app*", "gstreamer1.0-plugins-base"},
    {"compositor", "gstreamer1.0-plugins-base"},
    {"gio*", "gstreamer1.0-plugins-base"},
};

std::string package_hint(const std::string& factory) {
  if (factory.rfind("coco", 0) == 0) {
    return "; cocopipe's own elements are in libgstcoco.so: set GST_PLUGIN_PATH to the folder that holds it";
  }
  for (const Provider& provider : kProviders) {
    const std::string pattern = provider.factory;
    const bool prefix = pattern.back() == '*';
    if (prefix ? factory.rfind(pattern.substr(0, pattern.size() - 1), 0) == 0 : factory == pattern) {
      return std::string("; it may be in the package ") + provider.package;
    }
  }
  return "; 'gst-inspect-1.0' lists the elements installed";
}

std::vector<std::string> all_factories() {
  std::vector<std::string> names;
  GList* features = gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY);
  for (GList* item = features; item; item = item->next) {
    names.emplace_back(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(item->data)));
  }
  gst_plugin_feature_list_free(features);
  return names;
}

std::vector<std::string> writable_properties(GObjectClass* object_class) {
  std::vector<std::string> names;
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(object_class, &count);
  for (guint i = 0; i < count; ++i) {
    const bool own = specs[i]->owner_type != GST_TYPE_OBJECT && specs[i]->owner_type != GST_TYPE_ELEMENT;
    if ((specs[i]->flags & G_PARAM_WRITABLE) && own) names.emplace_back(specs[i]->name);
  }
  g_free(specs);
  return names;
}

Result<Handle<GstElementFactory>> load_factory(const std::string& file, const Step& step) {
  const std::string& name = step.value.value;
  Handle<GstElementFactory> factory(gst_element_factory_find(name.c_str()));
  if (!factory) {
    return error_at(
        file, step.value.position,
        "no element is called " + in_quotes(name) + did_you_mean(name, all_factories()) + package_hint(name),
        ErrorCode::kNotFound);
  }
  Handle<GstElementFactory> loaded(GST_ELEMENT_FACTORY(gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory.get()))));
  if (!loaded) {
    return error_at(file, step.value.position,
                    "the plugin of " + in_quotes(name) + " cannot be loaded; 'gst-inspect-1.0 " + name + "' tells why",
                    ErrorCode::kUnavailable);
  }
  return loaded;
}

struct ClassHandle {
  explicit ClassHandle(GType type) : value(G_OBJECT_CLASS(g_type_class_ref(type))) {}
  ~ClassHandle() { g_type_class_unref(value); }
  ClassHandle(const ClassHandle&) = delete;
  ClassHandle& operator=(const ClassHandle&) = delete;
  GObjectClass* value;
};

/// Property values that fit, in the file's order; names point into the step.
struct Converted {
  std::vector<const char*> names;
  std::vector<GValue> values;  ///< bits of `owners`, as g_object_setv-like functions want an array
  std::vector<Value> owners;
};

Result<Converted> convert_all(const std::string& file, const Step& step, GObjectClass* object_class) {
  Converted out;
  for (const Property& property : step.properties) {
    const std::string& name = property.name.value;
    GParamSpec* spec = g_object_class_find_property(object_class, name.c_str());
    if (!spec) {
      const std::vector<std::string> known = writable_properties(object_class);
      return error_at(file, property.name.position,
                      step.value.value + " has no property " + in_quotes(name) + did_you_mean(name, known) +
                          "; it has: " + join(known));
    }
    if (!(spec->flags & G_PARAM_WRITABLE)) {
      return error_at(file, property.name.position,
                      "the property " + in_quotes(name) + " of " + step.value.value + " can only be read");
    }
    Result<Value> value = convert_property(property.value.value, spec);
    if (!value) return error_at(file, property.value.position, value.error().message);
    out.names.push_back(name.c_str());
    out.owners.push_back(std::move(value).value());
  }
  for (const Value& value : out.owners) out.values.push_back(*value.get());
  return out;
}

Result<Handle<GstElement>> make_caps_filter(const std::string& file, const Step& step) {
  CapsHandle caps(gst_caps_from_string(step.value.value.c_str()));
  if (!caps) {
    return error_at(
        file, step.value.position,
        in_quotes(step.value.value) + " is not valid caps; they look like video/x-raw,width=1920,height=1080");
  }
  Handle<GstElement> element(gst_element_factory_make("capsfilter", nullptr));
  if (!element) {
    return error_at(file, step.value.position, "GStreamer's core elements are missing; install libgstreamer1.0-0",
                    ErrorCode::kNotFound);
  }
  gst_object_ref_sink(element.get());
  g_object_set(element.get(), "caps", caps.get(), nullptr);
  return element;
}

}  // namespace

Status prepare_gstreamer(const std::vector<std::string>& folders) {
  GError* failure = nullptr;
  if (!gst_init_check(nullptr, nullptr, &failure)) {
    const std::string reason = failure ? failure->message : "no reason given";
    g_clear_error(&failure);
    return make_error(ErrorCode::kUnavailable, "GStreamer does not start: " + reason);
  }
  std::vector<std::string> searched = folders;
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (!ignored) searched.push_back((program.parent_path().parent_path() / "lib" / "gstreamer-1.0").string());
  for (const std::string& folder : searched) {
    if (std::filesystem::is_directory(folder, ignored)) gst_registry_scan_path(gst_registry_get(), folder.c_str());
  }
  return {};
}

Result<Handle<GstElement>> make_element(const std::string& file, const Step& step) {
  if (step.kind == Step::Kind::kCaps) return make_caps_filter(file, step);
  COCO_ASSIGN(const Handle<GstElementFactory> factory, load_factory(file, step));
  const ClassHandle object_class(gst_element_factory_get_element_type(factory.get()));
  COCO_ASSIGN(Converted properties, convert_all(file, step, object_class.value));
  if (!step.name.value.empty()) {
    properties.names.push_back("name");
    properties.owners.emplace_back(G_TYPE_STRING);
    g_value_set_string(properties.owners.back().get(), step.name.value.c_str());
    properties.values.push_back(*properties.owners.back().get());
  }
  Handle<GstElement> element(gst_element_factory_create_with_properties(
      factory.get(), static_cast<guint>(properties.names.size()), properties.names.data(), properties.values.data()));
  if (!element) {
    return error_at(file, step.value.position, "the element " + in_quotes(step.value.value) + " cannot be made here",
                    ErrorCode::kUnavailable);
  }
  gst_object_ref_sink(element.get());
  return element;
}

}  // namespace coco::loader
