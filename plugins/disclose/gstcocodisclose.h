// Purpose: the cocodisclose element: coco::vision::Discloser as a GstBaseTransform that works in place.
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_COCO_DISCLOSE (gst_coco_disclose_get_type())
G_DECLARE_FINAL_TYPE(GstCocoDisclose, gst_coco_disclose, GST, COCO_DISCLOSE, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(cocodisclose)

G_END_DECLS
