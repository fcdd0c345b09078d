// Runs a model on a ramp: run_model MODEL. Dimensions the model leaves open become 16.
#include <coco/compile.h>
#include <coco/session.h>

#include <cstdio>

coco::Status run(const char* path) {
  COCO_ASSIGN(const auto model, coco::load_or_compile(path));
  coco::Shape shape = model->inputs()[0].shape;
  for (size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] == coco::kDynamicDim) shape[i] = 16;
  }
  COCO_ASSIGN(const auto session, coco::Session::create(model, {&shape, 1}, {}));
  const coco::TensorInfo& out = session->outputs()[0];
  std::vector<float> x(*shape.element_count()), y(*out.shape.element_count());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / static_cast<float>(x.size());
  const coco::TensorView input{coco::DataType::kF32, shape, x.data()};
  const coco::MutableTensorView output{coco::DataType::kF32, out.shape, y.data()};
  COCO_TRY(session->run({&input, 1}, {&output, 1}));
  for (size_t i = 0; i < y.size(); ++i) std::printf("%s %zu %.6g\n", out.name.c_str(), i, y[i]);
  return {};
}

int main(int argc, char** argv) {
  const coco::Status status = run(argc > 1 ? argv[1] : "");
  if (!status.ok()) std::fprintf(stderr, "run_model: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
