// The ONNX importer and the passes on arbitrary bytes.
#include "coco/compile.h"
#include "compiler/compile_program.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A well-formed constant may be large for a reason; here it only costs time.
  if (size > (1 << 16)) return 0;
  const auto program = coco::compiler::compile_program({data, size}, {});
  if (program.ok() && !coco::format::verify(*program).ok()) __builtin_trap();
  return 0;
}
