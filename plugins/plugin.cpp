// One row per element. Runs in GStreamer's scanner too: registers types, does nothing else.
#include <gst/gst.h>

#include "plugins/disclose/gstcocodisclose.h"
#include "plugins/upscale/gstcocoupscale.h"

static gboolean plugin_init(GstPlugin* plugin) {
  gboolean registered = FALSE;
  registered |= GST_ELEMENT_REGISTER(cocodisclose, plugin);
  registered |= GST_ELEMENT_REGISTER(cocoupscale, plugin);
  return registered;
}

#define PACKAGE "cocopipe"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, coco, "Real-time video AI on general-purpose chips",
                  plugin_init, COCO_VERSION, "Apache 2.0", "cocopipe", "Unknown package origin")
