/**
 * SECTION:element-cocoskeleton
 * @title: cocoskeleton
 * @short_description: counts the frames that pass
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=3 ! cocoskeleton ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "plugins/skeleton/gstcocoskeleton.h"

#include <gst/video/video.h>

#include <mutex>

#include "plugins/support/errors.h"
#include "plugins/support/video_frame.h"

GST_DEBUG_CATEGORY_STATIC(gst_coco_skeleton_debug);
#define GST_CAT_DEFAULT gst_coco_skeleton_debug

namespace {

using namespace coco;
using namespace coco::plugins;

enum { kPropFramesProcessed = 1, kPropCount };
GParamSpec* g_properties[kPropCount];

}  // namespace

struct _GstCocoSkeleton {
  GstBaseTransform parent;
  struct State;
  State* state;
};

// Everything of C++ lives here: GObject allocates the instance itself without running constructors.
struct _GstCocoSkeleton::State {
  std::mutex mutex;  ///< properties are read by any thread
  guint64 frames = 0;
  GstVideoInfo info{};  ///< streaming thread only
};

G_DEFINE_TYPE(GstCocoSkeleton, gst_coco_skeleton, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cocoskeleton, "cocoskeleton", GST_RANK_NONE, GST_TYPE_COCO_SKELETON)

static GstStaticPadTemplate g_sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(COCO_VIDEO_FORMATS)));
static GstStaticPadTemplate g_src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(COCO_VIDEO_FORMATS)));

static void gst_coco_skeleton_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_COCO_SKELETON(object);
  const std::lock_guard lock(self->state->mutex);
  switch (id) {
    case kPropFramesProcessed:
      g_value_set_uint64(value, self->state->frames);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

static gboolean gst_coco_skeleton_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  return gst_video_info_from_caps(&GST_COCO_SKELETON(base)->state->info, in);
}

static GstFlowReturn gst_coco_skeleton_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  auto* self = GST_COCO_SKELETON(base);
  return guarded(self, GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    auto frame = MappedFrame::map(self->state->info, buffer, GST_MAP_READ);
    if (!frame) {
      post_error(GST_ELEMENT(self), frame.error());
      return GST_FLOW_ERROR;
    }
    // Here a task of coco/vision.h would be given frame->view().
    const std::lock_guard lock(self->state->mutex);
    ++self->state->frames;
    return GST_FLOW_OK;
  });
}

static void gst_coco_skeleton_finalize(GObject* object) {
  delete GST_COCO_SKELETON(object)->state;
  G_OBJECT_CLASS(gst_coco_skeleton_parent_class)->finalize(object);
}

static void gst_coco_skeleton_init(GstCocoSkeleton* self) {
  self->state = new _GstCocoSkeleton::State;
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_coco_skeleton_class_init(GstCocoSkeletonClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_coco_skeleton_debug, "cocoskeleton", 0, "cocopipe's element skeleton");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->get_property = gst_coco_skeleton_get_property;
  object_class->finalize = gst_coco_skeleton_finalize;
  /**
   * GstCocoSkeleton:frames-processed:
   *
   * Since: 0.1
   */
  g_properties[kPropFramesProcessed] =
      g_param_spec_uint64("frames-processed", "Frames processed", "Frames seen", 0, G_MAXUINT64, 0,
                          static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_properties(object_class, kPropCount, g_properties);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "Element skeleton", "Filter/Video",
                                        "Counts the frames that pass", "The cocopipe authors");
  gst_element_class_add_static_pad_template(element_class, &g_sink_template);
  gst_element_class_add_static_pad_template(element_class, &g_src_template);

  auto* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->set_caps = GST_DEBUG_FUNCPTR(gst_coco_skeleton_set_caps);
  base_class->transform_ip = GST_DEBUG_FUNCPTR(gst_coco_skeleton_transform_ip);
  base_class->passthrough_on_same_caps = TRUE;
}
