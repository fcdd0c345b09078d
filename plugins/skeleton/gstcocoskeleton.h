// Purpose: the smallest cocopipe element, to copy when making a new one: looks at every frame and lets it pass.
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_COCO_SKELETON (gst_coco_skeleton_get_type())
G_DECLARE_FINAL_TYPE(GstCocoSkeleton, gst_coco_skeleton, GST, COCO_SKELETON, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(cocoskeleton)

G_END_DECLS
