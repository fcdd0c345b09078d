// Pictures in a build without Graphviz's library.
#include "apps/cocopipe/drawing/drawing.h"

namespace coco::cli {

Result<std::string> svg_from_dot(const std::string&, size_t) {
  return make_error(ErrorCode::kUnavailable,
                    "this build of cocopipe has no Graphviz; write --dot and run dot -Tsvg, or build with "
                    "libgraphviz-dev installed");
}

}  // namespace coco::cli
