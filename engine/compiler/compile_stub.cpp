// The compiler's symbols in a build without the ONNX library.
#include "coco/compile.h"
#include "compiler/compile_program.h"

namespace coco {
namespace {

Error unavailable() {
  return make_error(ErrorCode::kUnavailable,
                    "this build of cocopipe has no ONNX compiler; use a .coco file, or build with COCO_COMPILER=ON and "
                    "libonnx-dev installed");
}

}  // namespace

namespace compiler {
Result<format::Program> compile_program(std::span<const uint8_t>, const CompileOptions&) { return unavailable(); }
}  // namespace compiler

Result<std::vector<uint8_t>> compile_onnx_bytes(std::span<const uint8_t>, const CompileOptions&) {
  return unavailable();
}
Result<std::vector<uint8_t>> compile_onnx_file(const std::string&, const CompileOptions&) { return unavailable(); }
Result<std::vector<uint8_t>> export_onnx_qdq(const Model&) { return unavailable(); }

}  // namespace coco
