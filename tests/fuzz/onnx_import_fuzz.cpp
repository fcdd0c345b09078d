// The ONNX importer, the passes and the quantiser on arbitrary bytes.
#include "coco/compile.h"
#include "compiler/compile_program.h"
#include "tests/fuzz/fuzz.h"

namespace {

/// A ramp in the shape of the model's only input, where that is small: enough for the quantiser to have a look.
bool add_sample(const coco::format::Program& program, coco::QuantizeOptions& options) {
  if (program.inputs.size() != 1) return false;
  const coco::format::Value& input = program.values[static_cast<size_t>(program.inputs[0])];
  coco::Shape shape = input.shape;
  for (size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == coco::kDynamicDim) shape[axis] = 8;
  }
  const auto count = shape.element_count();
  if (input.type != coco::DataType::kF32 || !count || *count > 1024) return false;
  coco::FloatTensor tensor{shape, std::vector<float>(static_cast<size_t>(*count))};
  for (size_t i = 0; i < tensor.data.size(); ++i) tensor.data[i] = static_cast<float>(i % 256) / 255.0f;
  options.samples.push_back({{std::move(tensor)}, {}});
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A well-formed constant may be large for a reason; here it only costs time.
  if (size > (1 << 16)) return 0;
  const auto program = coco::compiler::compile_program({data, size}, {});
  if (!program.ok()) return 0;
  if (!coco::format::verify(*program).ok()) __builtin_trap();
  // Nor is there time for large networks in integers.
  coco::CompileOptions integers;
  integers.precision = coco::Precision::kAuto;
  if (size > (1 << 12) || !add_sample(*program, integers.quantize)) return 0;
  const auto quantized = coco::compiler::compile_program({data, size}, integers);
  if (quantized.ok() && !coco::format::verify(*quantized).ok()) __builtin_trap();
  return 0;
}
