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
        // 64 bits an element, enough for every type; integers are zeros.
        data(2 * static_cast<size_t>(shape.element_count().value_or(0)), type == DataType::kF32 ? 0.25f : 0.0f) {}
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
/// `types`: of the inputs, f32 where absent.
void add(std::vector<Case>& cases, const OpParams& params, const std::vector<Shape>& shapes, double per_output,
         const std::string& name, std::vector<DataType> types = {}) {
  const auto job = std::make_shared<Job>();
  job->params = params;
  std::vector<std::optional<Shape>> known(shapes.begin(), shapes.end());
  auto results = format::infer_shapes(params, known);
  COCO_CHECK(results.ok(), "benchmark shapes fit their operator");
  double bytes = 0;
  types.resize(shapes.size(), DataType::kF32);
  const auto made = format::infer_types(params, std::vector<std::optional<DataType>>(types.begin(), types.end()));
  COCO_CHECK(made.ok(), "benchmark types fit their operator");
  types.insert(types.end(), made.value().begin(), made.value().end());
  auto type = types.begin();
  for (const Shape& shape : shapes) job->inputs.emplace_back(shape, *type++);
  for (const Shape& shape : results.value()) job->outputs.emplace_back(shape, *type++);
  for (const Tensor& t : job->inputs) {
    job->in.push_back({t.type, t.shape, t.data.data()});
    bytes += static_cast<double>(t.data.size() / 2 * byte_size(t.type));
  }
  for (Tensor& t : job->outputs) {
    job->out.push_back({t.type, t.shape, t.data.data()});
    bytes += static_cast<double>(t.data.size() / 2 * byte_size(t.type));
  }
  const kernels::DenseKey key{&job->params, job->in, job->out};
  job->rows = kernels::dense_units(key);
  for (const auto& row : kernels::kernel_rows<kernels::DenseSlot>()) {
    if (!row.matches(key, {active_target()})) continue;
    cases.push_back({std::string(row.name), name, per_output * static_cast<double>(job->outputs[0].data.size() / 2),
                     bytes, [job, run = row.function] { run(job->params, job->in, job->out, 0, job->rows); },
                     types[0] == DataType::kU8});
  }
}

/// Operators on tensors of any rank, in the sizes detectors, classifiers and face networks have.
void add_tensor_cases(std::vector<Case>& cases) {
  const Shape image{1, 32, 28, 28}, list{1, 64, 256}, row{64, 256};
  const std::vector<DataType> indexed{DataType::kF32, DataType::kS64};
  add(cases, format::MatMulParams{}, {row, Shape{256, 64}}, 2.0 * 256, "64x256 by 256x64");
  add(cases, format::ReduceParams{format::ReduceKind::kMean, {2, 3}, true}, {image}, 784, "global mean");
  add(cases, format::ArgReduceParams{1}, {list}, 64, "64 of 256");
  add(cases, format::TopKParams{2, 8, false}, {list}, 32, "8 of 256");
  add(cases, format::SoftmaxParams{2, 3, false}, {list}, 4, "256");
  format::Pool2dParams pool;
  pool.kernel = {3, 3}, pool.stride = {2, 2}, pool.pads = {1, 1, 1, 1};
  add(cases, pool, {image}, 9, "max 3x3 stride 2");
  add(cases, format::LayerNormParams{2}, {list, Shape{256}, Shape{256}}, 8, "256");
  add(cases, format::GroupNormParams{32}, {image, Shape{32}, Shape{32}}, 8, "instance norm");
  add(cases, format::GatherParams{0}, {row, Shape{32}}, 0, "32 rows", indexed);
  add(cases, format::GatherElementsParams{1}, {row, Shape{64, 32}}, 0, "32 of 256", indexed);
  add(cases, format::ScatterNdParams{}, {row, Shape{8, 1}, Shape{8, 256}}, 0, "8 rows", indexed);
  add(cases, format::ExpandParams{{1, 32, 28, 28}}, {Shape{32, 1, 1}}, 0, "channels to pixels");
  add(cases, format::TileParams{{1, 1, 2, 2}}, {image}, 0, "2x2");
  add(cases, format::WhereParams{}, {image, image, image}, 1, "pixels", {DataType::kBool});
  add(cases, format::CastParams{DataType::kS32}, {image}, 1, "f32 to s32");
  add(cases, format::NonMaxSuppressionParams{16, 0.5f, 0, false, false}, {Shape{1, 256, 4}, Shape{1, 1, 256}}, 256,
      "16 of 256");
  add(cases, format::GridSampleParams{}, {image, Shape{1, 28, 28, 2}}, 8, "bilinear");
  add(cases, format::LstmParams{32}, {Shape{16, 1, 32}, Shape{1, 128, 32}, Shape{1, 128, 32}}, 2.0 * 256, "32 units");
  add(cases, format::GruParams{32}, {Shape{16, 1, 32}, Shape{1, 96, 32}, Shape{1, 96, 32}}, 2.0 * 192, "32 units");
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
  add(cases, format::QuantizeParams{}, {image}, 2, "8 channels");
  format::QuantConv2dParams quant;
  quant.kernel = {3, 3};
  quant.pads = {1, 1, 1, 1};
  add(cases, quant, {image, Shape{8, 8, 3, 3}, Shape{8}, Shape{8}}, 2.0 * 72, "8->8 3x3",
      {DataType::kU8, DataType::kS8, DataType::kS32, DataType::kF32});
  add(cases, format::DequantizeParams{}, {image, Shape{8}}, 2, "8 channels", {DataType::kU8});
  add(cases, format::LookupParams{}, {image, Shape{256}}, 0, "8 channels", {DataType::kU8, DataType::kU8});
  add(cases, format::QuantBinaryParams{}, {image, image}, 3, "add", {DataType::kU8, DataType::kU8});
  add(cases, format::Pool2dParams{format::PoolKind::kMax, {2, 2}, {2, 2}}, {image}, 4, "max 2x2 in u8",
      {DataType::kU8});
  add(cases, resize, {image}, 8, "linear x2 in u8", {DataType::kU8});
  add_tensor_cases(cases);
  return cases;
}

}  // namespace coco::bench
