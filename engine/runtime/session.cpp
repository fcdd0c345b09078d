#include "coco/session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "coco/vulkan.h"
#include "format/program.h"
#include "runtime/block_segment.h"
#include "runtime/gpu_program.h"
#include "runtime/layer_executor.h"
#include "runtime/line_executor.h"

namespace coco {
namespace {

std::string name_of(const char* what, const TensorInfo& info, size_t index) {
  return std::string(what) + " " + std::to_string(index) + " ('" + info.name + "')";
}

Status check_count(const char* what, size_t given, size_t wanted) {
  if (given == wanted) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    "the model has " + std::to_string(wanted) + " " + what + ", " + std::to_string(given) + " given");
}

// A planned shape: static, of the declared rank, equal wherever the model is not dynamic.
Status check_input_shape(const TensorInfo& info, size_t index, const Shape& shape) {
  bool fits = shape.is_static() && shape.rank() == info.shape.rank();
  for (size_t i = 0; fits && i < shape.rank(); ++i) fits = info.shape[i] == kDynamicDim || info.shape[i] == shape[i];
  if (fits) return {};
  return make_error(ErrorCode::kInvalidArgument, name_of("input", info, index) + ": shape " + shape.to_string() +
                                                     " does not fit the model's " + info.shape.to_string());
}

// A view passed to run. Makes no string unless it fails.
Status check_view(const char* what, const TensorInfo& info, size_t index, DataType type, const Shape& shape,
                  const void* data) {
  if (type != info.type) {
    return make_error(ErrorCode::kInvalidArgument, name_of(what, info, index) + ": type " +
                                                       std::string(to_string(type)) + " given, " +
                                                       std::string(to_string(info.type)) + " planned");
  }
  if (shape != info.shape) {
    return make_error(ErrorCode::kInvalidArgument, name_of(what, info, index) + ": shape " + shape.to_string() +
                                                       " given, " + info.shape.to_string() + " planned");
  }
  if (data == nullptr && shape.element_count().value_or(0) > 0) {
    return make_error(ErrorCode::kInvalidArgument, name_of(what, info, index) + ": no data");
  }
  return {};
}

Status check_options(const SessionOptions& options) {
  if (options.threads >= 0 && options.strip_width >= 0 && options.band_height >= 0) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    "session options: threads, strip_width and band_height must not be negative (0: planned)");
}

std::vector<TensorInfo> describe(const format::Program& program, std::span<const Shape> shapes,
                                 const std::vector<int32_t>& values) {
  std::vector<TensorInfo> infos;
  infos.reserve(values.size());
  for (const int32_t v : values) infos.push_back({program.values[v].name, program.values[v].type, shapes[v]});
  return infos;
}

// Networks that shrink and grow their pictures have halos so wide that tiles repeat each other's work: from here on
// whole tensors are cheaper. Judged only when the tiling is the planner's own.
constexpr double kMostRecomputation = 2;

// The line executor has no empty pictures.
bool has_empty_value(std::span<const Shape> shapes) {
  return std::any_of(shapes.begin(), shapes.end(), [](const Shape& s) { return s.element_count().value_or(0) == 0; });
}

Result<std::unique_ptr<runtime::LineExecutor>> make_line_executor(const format::Program& program,
                                                                  std::span<const Shape> shapes,
                                                                  const SessionOptions& options) {
  if (has_empty_value(shapes)) {
    return make_error(ErrorCode::kUnsupported, "a tensor of the network is empty; use the layer executor");
  }
  const bool planned = options.executor == ExecutorKind::kAuto && options.strip_width == 0 && options.band_height == 0;
  if (planned && runtime::suits_blocks(program, shapes, options)) {
    return make_error(ErrorCode::kUnsupported, "the network's channels fill blocks; use the layer executor");
  }
  COCO_ASSIGN(auto line, runtime::make_line_program(program, shapes, options));
  if (planned) {
    COCO_ASSIGN(const auto plan, runtime::plan_lines(line, options));
    if (runtime::recomputation(line, plan) > kMostRecomputation) {
      return make_error(ErrorCode::kUnsupported, "tiles of the network would repeat each other's work");
    }
  }
  return runtime::LineExecutor::create(std::move(line), options);
}

// The input as a device's planes.
Result<backends::GpuTensor> planes_of(const TensorInfo& info) {
  const Shape& shape = info.shape;
  if (info.type != DataType::kF32 || shape.rank() != 4 || shape[0] != 1 || shape.element_count().value_or(0) == 0)
    return make_error(ErrorCode::kUnsupported, "input '" + info.name + "' is " + std::string(to_string(info.type)) +
                                                   " " + shape.to_string() +
                                                   "; Vulkan takes one f32 picture [1, C, H, W]");
  return backends::GpuTensor{backends::GpuLayout::kPlanes, static_cast<int>(shape[1]), static_cast<int>(shape[2]),
                             static_cast<int>(shape[3])};
}

Result<std::unique_ptr<runtime::GpuExecutor>> make_gpu_executor(const format::Program& program,
                                                                std::span<const TensorInfo> inputs,
                                                                std::span<const Shape> shapes,
                                                                const SessionOptions& options) {
  if (options.executor != ExecutorKind::kAuto)
    return make_error(ErrorCode::kInvalidArgument, "the executor is a choice of the CPU's; leave it at auto on Vulkan");
  runtime::GpuProgram gpu;
  std::vector<int> sources;
  for (const TensorInfo& info : inputs) {
    COCO_ASSIGN(const backends::GpuTensor tensor, planes_of(info));
    sources.push_back(gpu.add_source(tensor));
  }
  COCO_ASSIGN(const std::vector<int> results, gpu.append(program, shapes, sources));
  if (results.size() == 1) {
    gpu.add_only_sink(results[0]);
  } else {
    for (const int tensor : results) gpu.add_sink(tensor);
  }
  return runtime::GpuExecutor::create(std::move(gpu), options);
}

// A dense tensor, row by row.
runtime::GpuRows rows_of(const void* data, const Shape& shape) {
  return {const_cast<void*>(data), static_cast<ptrdiff_t>(shape[3] * static_cast<int64_t>(sizeof(float)))};
}

}  // namespace

struct Session::State {
  std::shared_ptr<const Model> model;
  std::vector<TensorInfo> inputs, outputs;  // with the planned shapes
  SessionStats stats;
  std::unique_ptr<runtime::LayerExecutor> layer;  // one of the three
  std::unique_ptr<runtime::LineExecutor> line;
  std::unique_ptr<runtime::GpuExecutor> gpu;
  std::vector<runtime::GpuRows> rows;       // of the latter, filled by run
  std::vector<backends::Binding> bindings;  // of the line executor, filled by run
  std::vector<int64_t> macs;                // per operator, with a profile

  Status plan(std::span<const Shape> shapes, const SessionOptions& options);
};

Status Session::State::plan(std::span<const Shape> shapes, const SessionOptions& options) {
  const format::Program& program = model->program();
  if (options.vulkan) {
    COCO_ASSIGN(gpu, make_gpu_executor(program, inputs, shapes, options));
    stats = gpu->stats();
    rows.resize(inputs.size() + outputs.size());
    return {};
  }
  if (options.executor != ExecutorKind::kLayer && options.techniques.depth_first) {
    auto made = make_line_executor(program, shapes, options);
    if (made.ok()) {
      line = std::move(made).value();
      stats = line->stats();
      bindings.resize(inputs.size() + outputs.size());
    } else if (options.executor == ExecutorKind::kLine) {
      return made.take_error();
    }
  }
  if (!line) {
    COCO_ASSIGN(layer, runtime::LayerExecutor::create(program, shapes, options));
    stats.executor = "layer";
    stats.arena_bytes = layer->memory_bytes();
    stats.threads = layer->threads();
  }
  stats.macs = format::count_macs(program, shapes);
  for (const format::Operator& op : program.operators) {
    if (options.profile) macs.push_back(format::count_macs(op, shapes));
  }
  return {};
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 std::span<const Shape> input_shapes, const SessionOptions& options) {
  if (!model) return make_error(ErrorCode::kInvalidArgument, "a session needs a model");
  COCO_TRY(check_options(options));
  const format::Program& program = model->program();
  COCO_TRY(check_count("inputs", input_shapes.size(), program.inputs.size()));
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    COCO_TRY(check_input_shape(model->inputs()[i], i, input_shapes[i]));
  }
  COCO_ASSIGN(const std::vector<Shape> shapes, format::resolve_shapes(program, input_shapes));

  auto state = std::make_unique<State>();
  state->model = std::move(model);
  state->inputs = describe(program, shapes, program.inputs);
  state->outputs = describe(program, shapes, program.outputs);
  COCO_TRY(state->plan(shapes, options));
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

const std::vector<TensorInfo>& Session::outputs() const { return state_->outputs; }
const SessionStats& Session::stats() const { return state_->stats; }

std::vector<OperatorProfile> Session::profile() const {
  std::vector<OperatorProfile> rows;
  if (state_->layer) {
    state_->layer->add_profile(rows);
  } else if (state_->line) {
    state_->line->add_profile(rows);
  }
  for (OperatorProfile& row : rows) {
    if (row.index < 0) continue;
    const auto index = static_cast<size_t>(row.index);
    const format::Operator& op = state_->model->program().operators[index];
    row.name = op.name;
    row.op = to_string(op.kind());
    row.macs = state_->macs[index];
  }
  return rows;
}

Status Session::run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs) {
  COCO_TRY(check_count("inputs", inputs.size(), state_->inputs.size()));
  COCO_TRY(check_count("outputs", outputs.size(), state_->outputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    COCO_TRY(check_view("input", state_->inputs[i], i, inputs[i].type, inputs[i].shape, inputs[i].data));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    COCO_TRY(check_view("output", state_->outputs[i], i, outputs[i].type, outputs[i].shape, outputs[i].data));
  }
  if (state_->layer) {
    state_->layer->run(inputs, outputs);
    return {};
  }
  if (state_->gpu) {
    auto row = state_->rows.begin();
    for (const TensorView& view : inputs) *row++ = rows_of(view.data, view.shape);
    for (const MutableTensorView& view : outputs) *row++ = rows_of(view.data, view.shape);
    return state_->gpu->run(state_->rows);
  }
  auto binding = state_->bindings.begin();
  for (const TensorView& view : inputs) *binding++ = runtime::bind_tensor(view.data, view.shape);
  for (const MutableTensorView& view : outputs) *binding++ = runtime::bind_tensor(view.data, view.shape);
  state_->line->run(state_->bindings);
  return {};
}

}  // namespace coco
