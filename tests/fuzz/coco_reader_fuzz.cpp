// The .coco reader: any bytes give an error with a message or a program that verifies. Every input is also tried with
// its header put right, or the checksum would hide everything behind it.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "format/container.h"
#include "format/program.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace coco;
using namespace coco::format;

void require(bool condition) {
  if (!condition) std::abort();
}

// Shapes with every open dimension set to `extent`.
std::vector<Shape> input_shapes(const Program& program, int64_t extent) {
  std::vector<Shape> shapes;
  for (const int32_t number : program.inputs) {
    Shape shape = program.values[static_cast<size_t>(number)].shape;
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (shape[i] == kDynamicDim) shape[i] = extent;
    }
    shapes.push_back(shape);
  }
  return shapes;
}

void read(const std::vector<uint8_t>& file) {
  const Result<Program> program = read_program(file, nullptr);
  if (!program.ok()) {
    require(!program.error().message.empty());
    return;
  }
  require(verify(*program).ok());
  require(!to_text(*program, {}).empty());
  const auto shapes = resolve_shapes(*program, input_shapes(*program, 8));
  if (shapes.ok()) require(count_macs(*program, *shapes) >= 0);
  const Result<std::vector<uint8_t>> again = write_program(*program);
  require(again.ok());
  require(read_program(*again, nullptr).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  read(file);
  if (size < kHeaderBytes) return 0;
  // The body's size is taken from the input where it fits; constants are whatever follows.
  uint64_t body = 0;
  std::memcpy(&body, data + 8, sizeof body);
  if (body > size - kHeaderBytes) body = size - kHeaderBytes;
  if (align_constant(kHeaderBytes + body) > size) file.resize(align_constant(kHeaderBytes + body));
  seal_container(file, body);
  read(file);
  return 0;
}
