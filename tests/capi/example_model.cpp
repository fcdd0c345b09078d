// example_model FILE: writes a small model and prints what docs/examples make of it.
#include <cstdio>

#include "base/file.h"
#include "coco/session.h"
#include "tests/format/programs.h"

namespace {

using namespace coco;

Status run(const char* path) {
  const format::Program program = format::testing::small_network();
  COCO_ASSIGN(const std::vector<uint8_t> bytes, format::write_program(program));
  COCO_TRY(write_file_atomically(path, bytes));
  COCO_ASSIGN(const auto model, Model::from_program(program));
  const Shape shape{1, 1, 16, 16}, result{1, 1, 32, 32};
  COCO_ASSIGN(const auto session, Session::create(model, {&shape, 1}, {}));
  std::vector<float> x(256), y(1024);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / 256.0f;
  const TensorView input{DataType::kF32, shape, x.data()};
  const MutableTensorView output{DataType::kF32, result, y.data()};
  COCO_TRY(session->run({&input, 1}, {&output, 1}));
  for (size_t i = 0; i < y.size(); ++i) std::printf("%s %zu %.6g\n", session->outputs()[0].name.c_str(), i, y[i]);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status status = argc == 2 ? run(argv[1]) : make_error(ErrorCode::kInvalidArgument, "example_model FILE");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
