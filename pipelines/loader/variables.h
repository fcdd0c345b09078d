// Purpose: ${variables} in a pipeline's values.
#pragma once

#include "coco/status.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// Every ${name} used is declared and well formed, and every declared variable is used.
Status check_variables(const ParsedPipeline& pipeline);

}  // namespace coco::loader
