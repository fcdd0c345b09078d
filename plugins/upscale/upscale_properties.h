// Purpose: the properties of cocoupscale: their list, and the settings among them.
#pragma once

#include <glib-object.h>

#include <string>

namespace coco::plugins {

struct UpscaleSettings {
  std::string model = "sr2x-s";
  double scale = 2;
  std::string device = "auto";
  bool fallback = true;
  guint verify = 0;
  guint threads = 0;
  bool reuse = true;
  bool tune = false;
};

enum {
  kPropModel = 1,
  kPropScale,
  kPropDevice,
  kPropFallback,
  kPropVerify,
  kPropThreads,
  kPropReuse,
  kPropTune,
  kPropReused,
  kPropActiveModel,
  kPropActivePath,
  kPropFramesProcessed,
  kPropCount,
};

void install_upscale_properties(GObjectClass* object_class);

/// False for what is no setting.
bool set_upscale_setting(UpscaleSettings& settings, guint id, const GValue* value);
bool get_upscale_setting(const UpscaleSettings& settings, guint id, GValue* value);

}  // namespace coco::plugins
