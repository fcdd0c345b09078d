// Purpose: a trained network as an ONNX model (opset 13), written by the compiler's exporter.
#pragma once

#include <string>

#include "coco/status.h"
#include "graph/graph.h"

namespace coco::tune {

/// The serialised model, passed by the ONNX checker. The same graph gives the same bytes. What ONNX has no form for is
/// kUnsupported.
Result<std::string> to_onnx(graph::Graph graph, const std::string& name);

/// Whether the engine runs what was exported: compiles it and plans it for a small picture. The error says what does
/// not work.
Status check_runs(const std::string& onnx);

}  // namespace coco::tune
