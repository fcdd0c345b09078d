// Purpose: the cocoupscale element: coco::vision::Upscaler as a GstBaseTransform.
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_COCO_UPSCALE (gst_coco_upscale_get_type())
G_DECLARE_FINAL_TYPE(GstCocoUpscale, gst_coco_upscale, GST, COCO_UPSCALE, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(cocoupscale)

G_END_DECLS
