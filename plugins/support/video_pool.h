// Purpose: what a video element says in allocation queries: our alignment upstream, downstream's pools for the output.
#pragma once

#include <gst/gst.h>

namespace coco::plugins {

/// Answers upstream's query: video meta understood, a pool and allocation parameters with cocopipe's alignment and read
/// padding.
bool propose_video_pool(GstQuery* query);

/// Settles the query our output made: downstream's pool when it can be configured, else one of our own, aligned when
/// downstream reads video meta.
bool decide_video_pool(GstQuery* query);

}  // namespace coco::plugins
