// Purpose: weights that an ONNX model keeps in files beside it.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "coco/status.h"

namespace coco::compiler {

/// Reads the data of every tensor that is stored in another file into the model, graphs inside nodes included. Files
/// must lie in `folder` or below it, symbolic links followed; where `folder` is empty such tensors are kUnsupported.
/// The error names the tensor and the file.
Status load_external_data(onnx::ModelProto& model, const std::string& folder);

}  // namespace coco::compiler
