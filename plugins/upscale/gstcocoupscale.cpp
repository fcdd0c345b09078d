/**
 * SECTION:element-cocoupscale
 * @title: cocoupscale
 * @short_description: upscales video with a small neural network
 *
 * Negotiates its output size as videoscale does: downstream caps decide, else #GstCocoUpscale:scale. Luma goes through
 * the network, chroma through an interpolator that keeps its siting; matrix, range and transfer stay the stream's own.
 * Works in place on the buffers' own strides. Equal sizes pass through untouched.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! video/x-raw,width=960,height=540 ! cocoupscale scale=2 ! fakesink
 * ]| A test picture to twice its size.
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! cocoupscale ! \
 *   video/x-raw,width=3840,height=2160 ! videoconvert ! autovideosink
 * ]| Any video to 4K, on the screen.
 *
 * Since: 0.1
 */
#include "plugins/upscale/gstcocoupscale.h"

#include <gst/video/video.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "coco/compile.h"
#include "coco/tuning.h"
#include "coco/vision.h"
#include "coco/vulkan.h"
#include "plugins/support/errors.h"
#include "plugins/support/size_caps.h"
#include "plugins/support/video_frame.h"
#include "plugins/support/video_pool.h"
#include "plugins/upscale/upscale_path.h"
#include "plugins/upscale/upscale_properties.h"

GST_DEBUG_CATEGORY_STATIC(gst_coco_upscale_debug);
#define GST_CAT_DEFAULT gst_coco_upscale_debug

namespace {

using namespace coco;
using namespace coco::plugins;
using Settings = UpscaleSettings;

}  // namespace

struct _GstCocoUpscale {
  GstBaseTransform parent;
  struct State;
  State* state;
};

struct _GstCocoUpscale::State {
  // Read by applications at any time.
  std::mutex mutex;
  Settings settings;
  std::string active_model, active_path;
  guint64 frames = 0;
  double reused = 0;

  // Touched by the state changes and the streaming thread, which never run together.
  std::shared_ptr<const Model> model;
  std::shared_ptr<VulkanDevice> device;  // null: the CPU
  std::unique_ptr<UpscalePath> upscaler;
  GstVideoInfo in_info{}, out_info{};

  Settings copy_settings() {
    const std::lock_guard lock(mutex);
    return settings;
  }
};

G_DEFINE_TYPE(GstCocoUpscale, gst_coco_upscale, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cocoupscale, "cocoupscale", GST_RANK_NONE, GST_TYPE_COCO_UPSCALE)

#define CAPS_STRING \
  "video/x-raw, format = (string) " COCO_VIDEO_FORMATS ", width = (int) [ 1, " G_STRINGIFY(COCO_MAX_SIZE) " ], " \
  "height = (int) [ 1, " G_STRINGIFY(COCO_MAX_SIZE) " ], framerate = (fraction) [ 0, max ]"

static GstStaticPadTemplate g_sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS_STRING));
static GstStaticPadTemplate g_src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS_STRING));

static void set_active(GstCocoUpscale* self, const std::string& model, const std::string& path) {
  {
    const std::lock_guard lock(self->state->mutex);
    if (self->state->active_model == model && self->state->active_path == path) return;
    self->state->active_model = model;
    self->state->active_path = path;
  }
  g_object_notify(G_OBJECT(self), "active-model");
  g_object_notify(G_OBJECT(self), "active-path");
}

// ---- properties

static void gst_coco_upscale_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto* self = GST_COCO_UPSCALE(object);
  {
    const std::lock_guard lock(self->state->mutex);
    if (!set_upscale_setting(self->state->settings, id, value)) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  if (id == kPropScale) gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(self));
}

static void gst_coco_upscale_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_COCO_UPSCALE(object);
  const std::lock_guard lock(self->state->mutex);
  if (get_upscale_setting(self->state->settings, id, value)) return;
  switch (id) {
    case kPropReused:
      g_value_set_double(value, self->state->reused);
      break;
    case kPropActiveModel:
      g_value_set_string(value, self->state->active_model.c_str());
      break;
    case kPropActivePath:
      g_value_set_string(value, self->state->active_path.c_str());
      break;
    case kPropFramesProcessed:
      g_value_set_uint64(value, self->state->frames);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

// ---- states

static Result<std::shared_ptr<VulkanDevice>> open_vulkan(const std::string& name) {
  VulkanOptions options;
  options.cache_folder = vision::tuning_cache().folder;
  return open_device(name, options);
}

static gboolean gst_coco_upscale_start(GstBaseTransform* base) {
  auto* self = GST_COCO_UPSCALE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    const Settings settings = self->state->copy_settings();
    GST_INFO_OBJECT(self, "loading the model %s", settings.model.c_str());
    vision::set_model_loader(load_or_compile);
    auto model = vision::load_upscale_model(settings.model);
    if (!model) {
      post_error(GST_ELEMENT(self), model.error());
      return FALSE;
    }
    self->state->model = std::move(model).value();
    auto device = open_vulkan(settings.device == "auto" ? "cpu" : settings.device);
    if (!device) {
      post_error(GST_ELEMENT(self), device.error());
      return FALSE;
    }
    self->state->device = std::move(device).value();
    {
      const std::lock_guard lock(self->state->mutex);
      self->state->frames = 0;
    }
    const bool named = self->state->model && !self->state->model->card().name.empty();
    set_active(self, named ? self->state->model->card().name : settings.model, "");
    return TRUE;
  });
}

static gboolean gst_coco_upscale_stop(GstBaseTransform* base) {
  auto* self = GST_COCO_UPSCALE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    self->state->upscaler.reset();
    self->state->device.reset();
    self->state->model.reset();
    set_active(self, "", "");
    return TRUE;
  });
}

// ---- negotiation

static GstCaps* gst_coco_upscale_transform_caps(GstBaseTransform* base, GstPadDirection, GstCaps* caps,
                                                GstCaps* filter) {
  GstCaps* out = any_size_caps(caps, COCO_MAX_SIZE);
  if (filter) {
    GstCaps* filtered = gst_caps_intersect_full(filter, out, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(out);
    out = filtered;
  }
  GST_DEBUG_OBJECT(base, "%" GST_PTR_FORMAT " can become %" GST_PTR_FORMAT, caps, out);
  return out;
}

static GstCaps* gst_coco_upscale_fixate_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                                             GstCaps* othercaps) {
  const double scale = GST_COCO_UPSCALE(base)->state->copy_settings().scale;
  bool distorted = false;
  GstCaps* out = fixate_size(caps, othercaps, direction == GST_PAD_SINK ? scale : 1 / scale, &distorted);
  if (distorted) GST_WARNING_OBJECT(base, "the caps after this element force another display aspect ratio");
  GST_DEBUG_OBJECT(base, "fixed to %" GST_PTR_FORMAT, out);
  return out;
}

static bool same_size(const GstVideoInfo& a, const GstVideoInfo& b) {
  return GST_VIDEO_INFO_WIDTH(&a) == GST_VIDEO_INFO_WIDTH(&b) && GST_VIDEO_INFO_HEIGHT(&a) == GST_VIDEO_INFO_HEIGHT(&b);
}

static Result<std::unique_ptr<UpscalePath>> make_upscaler(GstCocoUpscale* self) {
  const GstVideoInfo& in = self->state->in_info;
  if (GST_VIDEO_INFO_IS_INTERLACED(&in)) {
    return make_error(ErrorCode::kUnsupported,
                      std::string("interlaced video (interlace-mode=") +
                          gst_video_interlace_mode_to_string(GST_VIDEO_INFO_INTERLACE_MODE(&in)) +
                          ") cannot be upscaled; put 'deinterlace' before cocoupscale");
  }
  const Settings settings = self->state->copy_settings();
  vision::UpscalerConfig config;
  config.format = *pixel_format_of(GST_VIDEO_INFO_FORMAT(&in));
  config.in_width = GST_VIDEO_INFO_WIDTH(&in);
  config.in_height = GST_VIDEO_INFO_HEIGHT(&in);
  config.out_width = GST_VIDEO_INFO_WIDTH(&self->state->out_info);
  config.out_height = GST_VIDEO_INFO_HEIGHT(&self->state->out_info);
  config.chroma_site = chroma_site_of(GST_VIDEO_INFO_CHROMA_SITE(&in));
  config.filter = vision::resample_filter(settings.model);
  config.session.threads = static_cast<int>(settings.threads);
  config.session.reuse = settings.reuse;
  config.tuning = settings.tune ? vision::Tuning::kMeasure : vision::Tuning::kCached;
  vision::UpscalerConfig on_cpu = config;
  config.session.vulkan = self->state->device;
  const std::shared_ptr<const Model>& model = self->state->model;
  COCO_ASSIGN(FrameMaker first, upscaler_on(model, config));
  UpscalePath::Options options;
  options.format = config.format;
  options.width = config.out_width;
  options.height = config.out_height;
  options.verify = settings.verify;
  if (config.session.vulkan) {
    const auto make = [model, on_cpu] { return upscaler_on(model, on_cpu); };
    options.other = make;
    if (settings.fallback) options.spare = make;
  } else {
    options.other = [model, other = config]() mutable -> Result<FrameMaker> {
      COCO_ASSIGN(other.session.vulkan, open_vulkan("vulkan"));
      return upscaler_on(model, other);
    };
  }
  return UpscalePath::create(std::move(first), std::move(options));
}

static gboolean gst_coco_upscale_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* out) {
  auto* self = GST_COCO_UPSCALE(base);
  return guarded(self, FALSE, [&]() -> gboolean {
    auto& state = *self->state;
    state.upscaler.reset();
    if (!gst_video_info_from_caps(&state.in_info, in) || !gst_video_info_from_caps(&state.out_info, out) ||
        !pixel_format_of(GST_VIDEO_INFO_FORMAT(&state.in_info)) ||
        GST_VIDEO_INFO_FORMAT(&state.in_info) != GST_VIDEO_INFO_FORMAT(&state.out_info)) {
      GST_ERROR_OBJECT(self, "unusable caps %" GST_PTR_FORMAT " to %" GST_PTR_FORMAT, in, out);
      return FALSE;
    }
    const bool through = same_size(state.in_info, state.out_info);
    if (!through) {
      auto upscaler = make_upscaler(self);
      if (!upscaler) {
        post_error(GST_ELEMENT(self), upscaler.error());
        return FALSE;
      }
      state.upscaler = std::move(upscaler).value();
    }
    gst_base_transform_set_passthrough(base, through);
    set_active(self, state.active_model, through ? "passthrough" : state.upscaler->path());
    GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT " to %" GST_PTR_FORMAT " by %s", in, out, state.active_path.c_str());
    return TRUE;
  });
}

// ---- memory

static gboolean gst_coco_upscale_get_unit_size(GstBaseTransform*, GstCaps* caps, gsize* size) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  *size = GST_VIDEO_INFO_SIZE(&info);
  return TRUE;
}

// A buffer with video meta need not be a whole number of units; one picture in is one picture out.
static gboolean gst_coco_upscale_transform_size(GstBaseTransform* base, GstPadDirection, GstCaps*, gsize,
                                                GstCaps* othercaps, gsize* othersize) {
  return gst_coco_upscale_get_unit_size(base, othercaps, othersize);
}

static gboolean gst_coco_upscale_propose_allocation(GstBaseTransform* base, GstQuery* decided, GstQuery* query) {
  if (!decided) {
    return GST_BASE_TRANSFORM_CLASS(gst_coco_upscale_parent_class)->propose_allocation(base, decided, query);
  }
  return propose_video_pool(query);
}

static gboolean gst_coco_upscale_decide_allocation(GstBaseTransform*, GstQuery* query) {
  return decide_video_pool(query);
}

// Positions and sizes in a meta are scaled with the picture; metas about the memory itself stay behind.
static gboolean gst_coco_upscale_transform_meta(GstBaseTransform* base, GstBuffer* out, GstMeta* meta, GstBuffer* in) {
  auto* self = GST_COCO_UPSCALE(base);
  const GType api = meta->info->api;
  static const gchar* const kPictureTags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                                              GST_META_TAG_VIDEO_ORIENTATION_STR, GST_META_TAG_VIDEO_COLORSPACE_STR};
  const gchar* const* tags = gst_meta_api_type_get_tags(api);
  for (; tags && *tags; ++tags) {
    bool known = false;
    for (const gchar* tag : kPictureTags) known = known || g_str_equal(tag, *tags);
    if (!known) return FALSE;
  }
  if (!gst_meta_api_type_has_tag(api, g_quark_from_static_string(GST_META_TAG_VIDEO_SIZE_STR))) return TRUE;
  if (!meta->info->transform_func) return FALSE;
  GstVideoMetaTransform scaling = {&self->state->in_info, &self->state->out_info};
  meta->info->transform_func(out, meta, in, gst_video_meta_transform_scale_get_quark(), &scaling);
  return FALSE;
}

// ---- data

// What happened besides a frame being made. The frame's number is that of frames-processed before it.
static void tell(GstCocoUpscale* self, const UpscalePath::Outcome& outcome) {
  auto& state = *self->state;
  if (outcome.lost) {
    state.device.reset();
    set_active(self, state.active_model, state.upscaler->path());
    GST_ELEMENT_WARNING(self, RESOURCE, FAILED,
                        ("%s; %s goes on", outcome.lost->message.c_str(), state.active_path.c_str()), (nullptr));
  }
  if (outcome.unverified) {
    GST_ELEMENT_WARNING(self, RESOURCE, FAILED,
                        ("frames are not verified any more: %s", outcome.unverified->message.c_str()), (nullptr));
  }
  if (outcome.difference) {
    const TileDifference& tile = *outcome.difference;
    GstStructure* structure = gst_structure_new(
        "cocoupscale-difference", "frame", G_TYPE_UINT64, state.frames, "plane", G_TYPE_INT, tile.plane, "x",
        G_TYPE_INT, tile.x, "y", G_TYPE_INT, tile.y, "samples", G_TYPE_INT, tile.samples, "largest", G_TYPE_INT,
        tile.largest, "path", G_TYPE_STRING, state.upscaler->path().c_str(), "other-path", G_TYPE_STRING,
        state.upscaler->other_path().c_str(), nullptr);
    GST_WARNING_OBJECT(self, "%" GST_PTR_FORMAT, structure);
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
  }
}

static GstFlowReturn gst_coco_upscale_transform(GstBaseTransform* base, GstBuffer* in, GstBuffer* out) {
  auto* self = GST_COCO_UPSCALE(base);
  return guarded(self, GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    auto& state = *self->state;
    if (!state.upscaler) return GST_FLOW_NOT_NEGOTIATED;
    const auto process = [&]() -> Result<UpscalePath::Outcome> {
      COCO_ASSIGN(const MappedFrame source, MappedFrame::map(state.in_info, in, GST_MAP_READ));
      COCO_ASSIGN(const MappedFrame target, MappedFrame::map(state.out_info, out, GST_MAP_WRITE));
      return state.upscaler->process(source.view(), target.mutable_view());
    };
    const Result<UpscalePath::Outcome> done = process();
    if (!done) {
      post_error(GST_ELEMENT(self), done.error());
      return GST_FLOW_ERROR;
    }
    tell(self, *done);
    const std::lock_guard lock(state.mutex);
    ++state.frames;
    const ReuseStats reuse = state.upscaler->reuse_stats();
    state.reused = reuse.tiles > 0 ? static_cast<double>(reuse.kept) / reuse.tiles : 0;
    return GST_FLOW_OK;
  });
}

// A pointer's place in the large picture, told upstream in terms of the small one.
static gboolean gst_coco_upscale_src_event(GstBaseTransform* base, GstEvent* event) {
  auto* self = GST_COCO_UPSCALE(base);
  const GstVideoInfo &in = self->state->in_info, &out = self->state->out_info;
  gdouble x = 0, y = 0;
  if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION && self->state->upscaler &&
      gst_navigation_event_get_coordinates(event, &x, &y)) {
    event = gst_event_make_writable(event);
    gst_navigation_event_set_coordinates(event, x * GST_VIDEO_INFO_WIDTH(&in) / GST_VIDEO_INFO_WIDTH(&out),
                                         y * GST_VIDEO_INFO_HEIGHT(&in) / GST_VIDEO_INFO_HEIGHT(&out));
  }
  return GST_BASE_TRANSFORM_CLASS(gst_coco_upscale_parent_class)->src_event(base, event);
}

// ---- type

static void gst_coco_upscale_finalize(GObject* object) {
  delete GST_COCO_UPSCALE(object)->state;
  G_OBJECT_CLASS(gst_coco_upscale_parent_class)->finalize(object);
}

static void gst_coco_upscale_init(GstCocoUpscale* self) {
  self->state = new _GstCocoUpscale::State;
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_coco_upscale_class_init(GstCocoUpscaleClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_coco_upscale_debug, "cocoupscale", 0, "cocopipe's video upscaler");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_coco_upscale_set_property;
  object_class->get_property = gst_coco_upscale_get_property;
  object_class->finalize = gst_coco_upscale_finalize;
  install_upscale_properties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "Neural video upscaler", "Filter/Effect/Video",
                                        "Upscales video to any size with a small neural network",
                                        "The cocopipe authors");
  gst_element_class_add_static_pad_template(element_class, &g_sink_template);
  gst_element_class_add_static_pad_template(element_class, &g_src_template);

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = GST_DEBUG_FUNCPTR(gst_coco_upscale_start);
  base_class->stop = GST_DEBUG_FUNCPTR(gst_coco_upscale_stop);
  base_class->transform_caps = GST_DEBUG_FUNCPTR(gst_coco_upscale_transform_caps);
  base_class->fixate_caps = GST_DEBUG_FUNCPTR(gst_coco_upscale_fixate_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR(gst_coco_upscale_set_caps);
  base_class->get_unit_size = GST_DEBUG_FUNCPTR(gst_coco_upscale_get_unit_size);
  base_class->transform_size = GST_DEBUG_FUNCPTR(gst_coco_upscale_transform_size);
  base_class->propose_allocation = GST_DEBUG_FUNCPTR(gst_coco_upscale_propose_allocation);
  base_class->decide_allocation = GST_DEBUG_FUNCPTR(gst_coco_upscale_decide_allocation);
  base_class->transform_meta = GST_DEBUG_FUNCPTR(gst_coco_upscale_transform_meta);
  base_class->transform = GST_DEBUG_FUNCPTR(gst_coco_upscale_transform);
  base_class->src_event = GST_DEBUG_FUNCPTR(gst_coco_upscale_src_event);
}
