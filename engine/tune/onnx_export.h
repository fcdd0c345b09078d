// Purpose: a trained network as an ONNX model (opset 13): input `luma` [1, 1, height, width] in 0..1, output
// `upscaled`.
#pragma once

#include <string>

#include "coco/status.h"
#include "tune/architecture.h"

namespace coco::tune {

/// The serialised model, passed by the ONNX checker. The same net gives the same bytes.
Result<std::string> to_onnx(const PlainNet& net);

}  // namespace coco::tune
