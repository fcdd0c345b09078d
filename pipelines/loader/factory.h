// Purpose: elements by factory name, with messages that help when there is none.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "pipelines/loader/gst_handle.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// Starts GStreamer and registers the elements found in `folders` and beside the running program.
Status prepare_gstreamer(const std::vector<std::string>& folders);

/// Makes the element of an element or caps step and sets its properties. The reference is the caller's (not floating).
Result<Handle<GstElement>> make_element(const std::string& file, const Step& step);

}  // namespace coco::loader
