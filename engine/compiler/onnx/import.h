// Purpose: from a serialised ONNX model to the compiler's graph. The only door of this folder.
// Element types: every floating type is computed in f32; the graph's inputs and outputs are f32, or u8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coco/compile.h"
#include "coco/status.h"
#include "coco/tensor.h"
#include "graph/graph.h"

namespace coco::compiler {

struct ImportOptions {
  /// Pins dynamic input dimensions by input name.
  std::vector<std::pair<std::string, Shape>> input_shapes;
  /// Where weights in other files lie; empty: such models are refused.
  std::string folder;
  CompileTrace* trace = nullptr;  ///< receives opset, producer and the file's operators
};

/// Damaged bytes: kInvalidData. Well-formed but outside what can be imported: kUnsupported, naming node, operator and
/// attribute. Never throws.
Result<graph::Graph> import_onnx(std::span<const uint8_t> bytes, const ImportOptions& options);

}  // namespace coco::compiler
