#include <optional>

#include "bench/cases.h"
#include "coco/device.h"
#include "format/program.h"
#include "kernels/registry.h"

namespace coco::bench {
namespace {

using format::OpParams;

/// A tensor with memory of its own, enough for f32.
struct Tensor {
  Shape shape;
  DataType type;
  std::vector<float> data;
  Tensor(Shape s, DataType t)
      : shape(std::move(s)),
        type(t),
        data(static_cast<size_t>(shape.element_count().value_or(0)), type == DataType::kS32 ? 0.0f : 0.25f) {}
};

/// Everything one run needs, at a fixed address.
struct Job {
  OpParams params;
  std::vector<Tensor> inputs, outputs;
  std::vector<TensorView> in;
  std::vector<MutableTensorView> out;
  int64_t rows = 0;
};

/// A case for every dense row that serves these parameters and input shapes. `per_output`: operations per output value.
/// `types`: of the inputs and then the results, f32 where absent.
void add(std::vector<Case>& cases, const OpParams& params, const std::vector<Shape>& shapes, double per_output,
         const std::string& name, std::vector<DataType> types = {}) {
  const auto job = std::make_shared<Job>();
  job->params = params;
  std::vector<std::optional<Shape>> known(shapes.begin(), shapes.end());
  auto results = format::infer_shapes(params, known);
  COCO_CHECK(results.ok(), "benchmark shapes fit their operator");
  double bytes = 0;
  types.resize(shapes.size() + results.value().size(), DataType::kF32);
  auto type = types.begin();
  for (const Shape& shape : shapes) job->inputs.emplace_back(shape, *type++);
  for (const Shape& shape : results.value()) job->outputs.emplace_back(shape, *type++);
  for (const Tensor& t : job->inputs) {
    job->in.push_back({t.type, t.shape, t.data.data()});
    bytes += static_cast<double>(t.data.size() * byte_size(t.type));
  }
  for (Tensor& t : job->outputs) {
    job->out.push_back({t.type, t.shape, t.data.data()});
    bytes += static_cast<double>(t.data.size() * byte_size(t.type));
  }
  job->rows = kernels::dense_rows(job->outputs[0].shape);
  const kernels::DenseKey key{&job->params, job->in, job->out};
  for (const auto& row : kernels::kernel_rows<kernels::DenseSlot>()) {
    if (!row.matches(key, {active_target()})) continue;
    cases.push_back({std::string(row.name), name, per_output * static_cast<double>(job->outputs[0].data.size()), bytes,
                     [job, run = row.function] { run(job->params, job->in, job->out, 0, job->rows); },
                     types[0] == DataType::kU8});
  }
}

}  // namespace

std::vector<Case> dense_cases() {
  std::vector<Case> cases;
  const Shape image{1, 8, 48, 64};
  format::Conv2dParams conv;
  conv.kernel = {3, 3};
  conv.pads = {1, 1, 1, 1};
  add(cases, conv, {image, Shape{8, 8, 3, 3}, Shape{8}}, 2.0 * 72, "8->8 3x3");
  format::ConvTranspose2dParams transposed;
  transposed.kernel = {2, 2};
  transposed.stride = {2, 2};
  add(cases, transposed, {image, Shape{8, 4, 2, 2}, Shape{4}}, 2.0 * 8, "8->4 2x2 stride 2");
  format::UnaryParams relu;
  relu.kind = format::UnaryKind::kRelu;
  add(cases, relu, {image}, 1, "relu");
  add(cases, format::PreluParams{}, {image, Shape{8, 1, 1}}, 1, "8 slopes");
  add(cases, format::BinaryParams{}, {image, image}, 1, "add");
  add(cases, format::ConcatParams{}, {image, image}, 0, "channels");
  format::SliceParams slice;
  slice.axes = {3}, slice.starts = {1}, slice.ends = {63}, slice.steps = {1};
  add(cases, slice, {image}, 0, "columns");
  format::PadParams pad;
  pad.mode = format::PadMode::kReflect;
  pad.pads = {0, 0, 2, 2, 0, 0, 2, 2};
  add(cases, pad, {image}, 0, "reflect 2");
  format::ResizeParams resize;
  resize.mode = format::ResizeMode::kLinear;
  resize.scales = {1, 1, 2, 2};
  add(cases, resize, {image}, 8, "linear x2");
  add(cases, format::DepthToSpaceParams{}, {image}, 0, "block 2");
  add(cases, format::SpaceToDepthParams{}, {image}, 0, "block 2");
  format::TransposeParams transpose;
  transpose.perm = {0, 2, 3, 1};
  add(cases, transpose, {image}, 0, "NCHW to NHWC");
  format::ReshapeParams reshape;
  reshape.shape = {1, 64, 384};
  add(cases, reshape, {image}, 0, "flatten");
  add(cases, format::QuantizeParams{}, {image}, 2, "8 channels", {DataType::kF32, DataType::kU8});
  format::QuantConv2dParams quant;
  quant.kernel = {3, 3};
  quant.pads = {1, 1, 1, 1};
  add(cases, quant, {image, Shape{8, 8, 3, 3}, Shape{8}, Shape{8}}, 2.0 * 72, "8->8 3x3",
      {DataType::kU8, DataType::kS8, DataType::kS32, DataType::kF32, DataType::kU8});
  add(cases, format::DequantizeParams{}, {image, Shape{8}}, 2, "8 channels", {DataType::kU8});
  return cases;
}

}  // namespace coco::bench
