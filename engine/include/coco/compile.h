// Purpose: from an ONNX file to a .coco model.
// Ownership: results own everything they hold.
// Threads: any thread; calls are independent.
// Failure: an unsupported node is kUnsupported and the message names node, operator and attribute.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coco/model.h"
#include "coco/status.h"

namespace coco {

struct CompileOptions {
  ModelCard card;
  /// Pins dynamic input dimensions: {"input", [1, 3, 224, 224]}. Empty: they stay dynamic.
  std::vector<std::pair<std::string, Shape>> input_shapes;
  /// Runs the optimising passes (constant folding, fusion). Off: the imported graph as it stands.
  bool optimize = true;
};

/// Compiles an ONNX file (opsets 7 to 17) to the bytes of a .coco file.
Result<std::vector<uint8_t>> compile_onnx_file(const std::string& path, const CompileOptions& options);
/// The same from a serialised ModelProto.
Result<std::vector<uint8_t>> compile_onnx_bytes(std::span<const uint8_t> bytes, const CompileOptions& options);

/// Loads a .coco file, or imports and compiles an .onnx file in memory, judged by the file's first bytes.
/// In a build without the compiler an .onnx file is kUnavailable.
Result<std::shared_ptr<const Model>> load_or_compile(const std::string& path);

}  // namespace coco
