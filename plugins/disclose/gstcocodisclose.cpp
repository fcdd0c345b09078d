/**
 * SECTION:element-cocodisclose
 * @title: cocodisclose
 * @short_description: tells viewers and machines that the pictures were altered
 *
 * Draws "AI MODIFIED / AI换脸" into the picture, in full at the start and after each change of #GstCocoDisclose:source,
 * then as a corner mark; puts an invisible mark into the luma, which `cocopipe disclose --check` reads; and sends the
 * "AIGC" metadata as a comment tag, which MP4 and Matroska muxers write. Put it after everything that scales. The
 * visible label is left out only by a #GstCocoDisclose:policy file, which is logged.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=300 ! cocodisclose provider=me ! x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */
#include "plugins/disclose/gstcocodisclose.h"

#include <gst/video/video.h>

#include <memory>
#include <mutex>
#include <string>

#include "coco/disclosure.h"
#include "plugins/support/errors.h"
#include "plugins/support/video_frame.h"
#include "plugins/support/video_pool.h"

GST_DEBUG_CATEGORY_STATIC(gst_coco_disclose_debug);
#define GST_CAT_DEFAULT gst_coco_disclose_debug

namespace {

using namespace coco;
using namespace coco::plugins;

enum {
  kPropAltered = 1,
  kPropSource,
  kPropProvider,
  kPropContentId,
  kPropMark,
  kPropMarkStrength,
  kPropPolicy,
  kPropLog,
  kPropLabel,
  kPropFramesProcessed,
  kPropCount
};
GParamSpec* g_properties[kPropCount];

struct Settings {
  bool altered = true, mark = true;
  std::string source, provider = "cocopipe", content_id, policy, log;
  double mark_strength = 1;
};

const char* name_of(vision::LabelKind kind) {
  switch (kind) {
    case vision::LabelKind::kFull:
      return "full";
    case vision::LabelKind::kCorner:
      return "corner";
    case vision::LabelKind::kNone:
      break;
  }
  return "none";
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text == nullptr ? "" : text;
}

}  // namespace

struct _GstCocoDisclose {
  GstBaseTransform parent;
  struct State;
  State* state;
};

// Everything of C++ lives here: GObject allocates the instance itself without running constructors.
struct _GstCocoDisclose::State {
  std::mutex mutex;  ///< properties are read and set by any thread
  Settings settings;
  guint64 frames = 0;
  vision::LabelKind label = vision::LabelKind::kNone;
  // Of the streaming thread, between start and stop:
  GstVideoInfo info{};
  vision::ContentOrigin origin;
  bool visible = true, tagged = false;
  std::unique_ptr<vision::SessionLog> log;
  std::unique_ptr<vision::Discloser> discloser;

  Settings copy_settings() {
    const std::lock_guard lock(mutex);
    return settings;
  }
  Status begin();
  Status note_down(const char* event, const std::string& detail) { return log ? log->add(event, detail) : Status(); }
};

G_DEFINE_TYPE(GstCocoDisclose, gst_coco_disclose, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cocodisclose, "cocodisclose", GST_RANK_NONE, GST_TYPE_COCO_DISCLOSE)

static GstStaticPadTemplate g_sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(COCO_VIDEO_FORMATS)));
static GstStaticPadTemplate g_src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(COCO_VIDEO_FORMATS)));

Status _GstCocoDisclose::State::begin() {
  const Settings s = copy_settings();
  origin = {s.provider, s.content_id};
  if (origin.id.empty()) {
    gchar* id = g_uuid_string_random();
    origin.id = id;
    g_free(id);
  }
  tagged = false;
  log.reset();
  if (!s.log.empty()) {
    COCO_ASSIGN(log, vision::SessionLog::open(s.log));
  }
  visible = true;
  if (!s.policy.empty()) {
    COCO_ASSIGN(const vision::LabelPolicy policy, vision::read_label_policy(s.policy));
    if (policy.waive_visible_label) {
      if (!log) return make_error(ErrorCode::kInvalidArgument, "a waived label must be logged: set 'log' as well");
      visible = false;
      COCO_TRY(log->add("label waived", policy.responsible + ", agreed " + policy.agreed + ": " + policy.reason));
    }
  }
  return note_down("start", origin.id);
}

static void gst_coco_disclose_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto* self = GST_COCO_DISCLOSE(object);
  const std::lock_guard lock(self->state->mutex);
  Settings& s = self->state->settings;
  switch (id) {
    case kPropAltered:
      s.altered = g_value_get_boolean(value) != FALSE;
      break;
    case kPropSource:
      s.source = text_of(value);
      break;
    case kPropProvider:
      s.provider = text_of(value);
      break;
    case kPropContentId:
      s.content_id = text_of(value);
      break;
    case kPropMark:
      s.mark = g_value_get_boolean(value) != FALSE;
      break;
    case kPropMarkStrength:
      s.mark_strength = g_value_get_double(value);
      break;
    case kPropPolicy:
      s.policy = text_of(value);
      break;
    case kPropLog:
      s.log = text_of(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

static void gst_coco_disclose_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_COCO_DISCLOSE(object);
  const std::lock_guard lock(self->state->mutex);
  const Settings& s = self->state->settings;
  switch (id) {
    case kPropAltered:
      g_value_set_boolean(value, s.altered);
      break;
    case kPropSource:
      g_value_set_string(value, s.source.c_str());
      break;
    case kPropProvider:
      g_value_set_string(value, s.provider.c_str());
      break;
    case kPropContentId:
      g_value_set_string(value, s.content_id.c_str());
      break;
    case kPropMark:
      g_value_set_boolean(value, s.mark);
      break;
    case kPropMarkStrength:
      g_value_set_double(value, s.mark_strength);
      break;
    case kPropPolicy:
      g_value_set_string(value, s.policy.c_str());
      break;
    case kPropLog:
      g_value_set_string(value, s.log.c_str());
      break;
    case kPropLabel:
      g_value_set_string(value, name_of(self->state->label));
      break;
    case kPropFramesProcessed:
      g_value_set_uint64(value, self->state->frames);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

static gboolean gst_coco_disclose_start(GstBaseTransform* base) {
  auto* self = GST_COCO_DISCLOSE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    const Status status = self->state->begin();
    if (status.ok()) return TRUE;
    post_error(GST_ELEMENT(self), status.error());
    return FALSE;
  });
}

static gboolean gst_coco_disclose_stop(GstBaseTransform* base) {
  auto* self = GST_COCO_DISCLOSE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    const Status status = self->state->note_down("stop", self->state->origin.id);
    if (!status.ok()) post_error(GST_ELEMENT(self), status.error());
    self->state->log.reset();
    self->state->discloser.reset();
    return TRUE;
  });
}

static gboolean gst_coco_disclose_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  auto* self = GST_COCO_DISCLOSE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    _GstCocoDisclose::State& state = *self->state;
    if (!gst_video_info_from_caps(&state.info, in)) return FALSE;
    const Settings s = state.copy_settings();
    vision::DiscloserConfig config;
    config.format = pixel_format_of(GST_VIDEO_INFO_FORMAT(&state.info)).value_or(PixelFormat::kI420);
    config.width = GST_VIDEO_INFO_WIDTH(&state.info);
    config.height = GST_VIDEO_INFO_HEIGHT(&state.info);
    config.label = state.visible;
    config.mark_strength = s.mark_strength;
    if (s.mark) config.mark = vision::mark_payload(state.origin);
    auto made = vision::Discloser::create(config);
    if (!made.ok()) {
      post_error(GST_ELEMENT(self), made.error());
      return FALSE;
    }
    state.discloser = std::move(made).value();
    return TRUE;
  });
}

// After the segment, which comes with the first buffer.
static void send_tags(GstCocoDisclose* self) {
  if (self->state->tagged) return;
  self->state->tagged = true;
  const std::string comment = "AIGC=" + vision::aigc_metadata(self->state->origin);
  GstTagList* tags = gst_tag_list_new(GST_TAG_COMMENT, comment.c_str(), nullptr);
  gst_tag_list_set_scope(tags, GST_TAG_SCOPE_GLOBAL);
  gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(self), gst_event_new_tag(tags));
}

static GstFlowReturn gst_coco_disclose_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  auto* self = GST_COCO_DISCLOSE(base);
  return guarded(self, GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    _GstCocoDisclose::State& state = *self->state;
    send_tags(self);
    const auto fail = [&](const Error& error) {
      post_error(GST_ELEMENT(self), error);
      return GST_FLOW_ERROR;
    };
    auto frame = MappedFrame::map(state.info, buffer, static_cast<GstMapFlags>(GST_MAP_READWRITE));
    if (!frame.ok()) return fail(frame.error());
    const Settings s = state.copy_settings();
    const GstClockTime time = gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    const double seconds = GST_CLOCK_TIME_IS_VALID(time) ? static_cast<double>(time) / GST_SECOND : 0;
    const auto label = state.discloser->process(frame->mutable_view(), seconds, s.altered, s.source);
    if (!label.ok()) return fail(label.error());
    const std::lock_guard lock(state.mutex);
    state.label = *label;
    ++state.frames;
    return GST_FLOW_OK;
  });
}

static gboolean gst_coco_disclose_propose_allocation(GstBaseTransform*, GstQuery*, GstQuery* query) {
  return propose_video_pool(query);
}

static void gst_coco_disclose_finalize(GObject* object) {
  delete GST_COCO_DISCLOSE(object)->state;
  G_OBJECT_CLASS(gst_coco_disclose_parent_class)->finalize(object);
}

static void gst_coco_disclose_init(GstCocoDisclose* self) { self->state = new _GstCocoDisclose::State; }

static void install_properties(GObjectClass* object_class) {
  const auto fixed = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto live = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_properties[kPropAltered] =
      g_param_spec_boolean("altered", "Altered", "Whether the frames from now on are altered", TRUE, live);
  g_properties[kPropSource] = g_param_spec_string(
      "source", "Source", "What is put into the frames; a change brings the full label back", "", live);
  g_properties[kPropProvider] =
      g_param_spec_string("provider", "Provider", "Who makes the content, for the metadata", "cocopipe", fixed);
  g_properties[kPropContentId] =
      g_param_spec_string("content-id", "Content id", "Number of the content; empty: a random one", "", fixed);
  g_properties[kPropMark] = g_param_spec_boolean("mark", "Mark", "Put the invisible mark in", TRUE, fixed);
  g_properties[kPropMarkStrength] =
      g_param_spec_double("mark-strength", "Mark strength", "How strong the mark is", 0.25, 4, 1, fixed);
  g_properties[kPropPolicy] =
      g_param_spec_string("policy", "Policy", "JSON file that waives the visible label; needs 'log'", "", fixed);
  g_properties[kPropLog] = g_param_spec_string("log", "Log", "Append sessions to this file", "", fixed);
  g_properties[kPropLabel] =
      g_param_spec_string("label", "Label", "On the last frame: none, full or corner", "none", readable);
  g_properties[kPropFramesProcessed] =
      g_param_spec_uint64("frames-processed", "Frames processed", "Frames seen", 0, G_MAXUINT64, 0, readable);
  g_object_class_install_properties(object_class, kPropCount, g_properties);
}

static void gst_coco_disclose_class_init(GstCocoDiscloseClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_coco_disclose_debug, "cocodisclose", 0, "cocopipe's labels of altered pictures");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_coco_disclose_set_property;
  object_class->get_property = gst_coco_disclose_get_property;
  object_class->finalize = gst_coco_disclose_finalize;
  install_properties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "AI disclosure", "Filter/Effect/Video",
                                        "Labels and marks pictures as altered by AI", "The cocopipe authors");
  gst_element_class_add_static_pad_template(element_class, &g_sink_template);
  gst_element_class_add_static_pad_template(element_class, &g_src_template);

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = GST_DEBUG_FUNCPTR(gst_coco_disclose_start);
  base_class->stop = GST_DEBUG_FUNCPTR(gst_coco_disclose_stop);
  base_class->set_caps = GST_DEBUG_FUNCPTR(gst_coco_disclose_set_caps);
  base_class->transform_ip = GST_DEBUG_FUNCPTR(gst_coco_disclose_transform_ip);
  base_class->propose_allocation = GST_DEBUG_FUNCPTR(gst_coco_disclose_propose_allocation);
}
