// Purpose: import, passes and emission in one step, inside the process.
#pragma once

#include <span>

#include "coco/compile.h"
#include "format/program.h"

namespace coco::compiler {

/// A serialised ONNX model as a verified program. In a build without the compiler: kUnavailable.
Result<format::Program> compile_program(std::span<const uint8_t> onnx, const CompileOptions& options);

}  // namespace coco::compiler
