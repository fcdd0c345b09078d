#include "apps/cocopipe/run_pipeline.h"

namespace coco::cli {

Result<int> run_pipeline(const RunRequest&) {
  return make_error(ErrorCode::kUnavailable,
                    "this build has no GStreamer; build with COCO_GSTREAMER=ON to run pipeline files");
}

}  // namespace coco::cli
