// Purpose: from a program to a standard ONNX model (opset 13); integer operators become QuantizeLinear and
// DequantizeLinear around float ones, from which the importer makes the same integer operators again.
#pragma once

#include <string>

#include "coco/status.h"
#include "format/program.h"

namespace coco::compiler {

/// The serialised model. What ONNX has no form for is kUnsupported and names the operator.
Result<std::string> export_onnx(const format::Program& program);

}  // namespace coco::compiler
