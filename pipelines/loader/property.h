// Purpose: text to a GValue that a property accepts.
#pragma once

#include <string>

#include "coco/status.h"
#include "pipelines/loader/gst_handle.h"

namespace coco::loader {

/// Converts by the property's type and range; enums and flags by nick. The error says what the property takes, without
/// a place.
Result<Value> convert_property(const std::string& text, GParamSpec* spec);

/// "one of: a, b", "a number from 0 to 8", ... for messages.
std::string describe_property(GParamSpec* spec);

}  // namespace coco::loader
