#include <optional>
#include <string>
#include <utility>

#include "base/thread_pool.h"
#include "coco/session.h"
#include "coco/vulkan.h"
#include "runtime/gpu_program.h"
#include "runtime/line_executor.h"
#include "runtime/tile_reuse.h"

namespace coco {

using backends::Binding;

struct ImageSession::State {
  std::shared_ptr<const Model> model;
  ImageJob job;
  std::unique_ptr<runtime::LineExecutor> executor;  // one of the two
  std::unique_ptr<runtime::GpuExecutor> gpu;
  ReuseStats reuse_stats;
  std::optional<runtime::TileReuse> reuse;
  // The frame being run; the stored tasks below read them, so that a run builds no closure.
  PlaneView in;
  MutablePlaneView out;
  const std::function<void(int)>* extra = nullptr;
  std::function<void(int, int)> compare_task, tile_task;

  Status plan_reuse();
  void run_reusing(int extra_tasks);
};

/// Tiles from the plan: cells of rows times strips of columns, of the source and of the sink.
Status ImageSession::State::plan_reuse() {
  const runtime::LinePlan& plan = executor->plan();
  const size_t sink = static_cast<size_t>(plan.sinks[0]);
  std::vector<runtime::TileArea> tiles;
  for (const runtime::Extent& strip : plan.strips)
    for (const runtime::Extent& cell : plan.cells) tiles.push_back({{strip[0], cell[0]}, {strip[sink], cell[sink]}});
  const PlaneView in_plane{nullptr, 0, job.in_width, job.in_height, job.in_type};
  const PlaneView out_plane{nullptr, 0, job.out_width, job.out_height, job.out_type};
  COCO_ASSIGN(reuse, runtime::TileReuse::create(std::move(tiles), static_cast<int>(plan.strips.size()), in_plane,
                                                out_plane, plan.joined, executor->stats().threads));
  reuse_stats.tiles = reuse->tiles();
  compare_task = [this](int task, int) { reuse->compare(task, in); };
  tile_task = [this](int task, int worker) {
    const int runs = static_cast<int>(reuse->runs().size()), kept = static_cast<int>(reuse->kept().size());
    if (task < runs) {
      const runtime::TileRun& run = reuse->runs()[task];
      executor->run_cells(worker, run.cells, run.strips);
      reuse->finish_run(run, out);
    } else if (task < runs + kept) {
      reuse->finish_kept(reuse->kept()[task - runs], out);
    } else {
      (*extra)(task - runs - kept);
    }
  };
  return {};
}

void ImageSession::State::run_reusing(int extra_tasks) {
  const int threads = executor->stats().threads;
  ThreadPool::process().parallel_for(reuse->compare_tasks(), threads, compare_task);
  reuse->decide();
  const int runs = static_cast<int>(reuse->runs().size()), kept = static_cast<int>(reuse->kept().size());
  ThreadPool::process().parallel_for(runs + kept + (extra != nullptr ? extra_tasks : 0), threads, tile_task);
  reuse_stats.kept = kept;
  reuse_stats.total_tiles += reuse_stats.tiles;
  reuse_stats.total_kept += kept;
}

ImageSession::ImageSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageSession::~ImageSession() = default;
const SessionStats& ImageSession::stats() const {
  return state_->gpu ? state_->gpu->stats() : state_->executor->stats();
}
const ReuseStats& ImageSession::reuse_stats() const { return state_->reuse_stats; }

namespace {

Status check_job(const std::shared_ptr<const Model>& model, const ImageJob& job, const SessionOptions& options) {
  constexpr int kMaxSide = 16384;
  for (int side : {job.in_width, job.in_height, job.out_width, job.out_height})
    if (side < 1 || side > kMaxSide)
      return make_error(ErrorCode::kInvalidArgument,
                        "picture sides must be 1 to " + std::to_string(kMaxSide) + ", not " + std::to_string(side));
  if (job.repeats < 0 || job.repeats > 4)
    return make_error(ErrorCode::kInvalidArgument,
                      "a network is repeated 0 to 4 times, not " + std::to_string(job.repeats));
  if (options.executor == ExecutorKind::kLayer || !options.techniques.depth_first)
    return make_error(ErrorCode::kUnsupported, "pictures run on the line executor only; leave the executor at auto");
  if (job.repeats == 0) return {};
  if (model == nullptr)
    return make_error(ErrorCode::kInvalidArgument, "a network is to be repeated, but there is no model");
  const auto one_channel = [](const std::vector<TensorInfo>& tensors) {
    if (tensors.size() != 1 || tensors[0].type != DataType::kF32 || tensors[0].shape.rank() != 4) return false;
    const int64_t channels = tensors[0].shape[1];
    return channels == 1 || channels == kDynamicDim;
  };
  if (!one_channel(model->inputs()) || !one_channel(model->outputs()))
    return make_error(ErrorCode::kUnsupported, "model '" + model->card().name +
                                                   "' does not map one f32 picture of one channel to another; "
                                                   "luma networks have one input and one output [1, 1, H, W]");
  return {};
}

kernels::ResampleKernel kernel_of(ResampleFilter filter) {
  return filter == ResampleFilter::kBicubic ? kernels::ResampleKernel::kBicubic : kernels::ResampleKernel::kLanczos3;
}

// The job's network as often as it is applied, and the resampling to the job's size; `append` and `resample` add them
// to a program whose tensors have width and height. Returns the last tensor.
template <typename Program, typename Append, typename Resample>
Result<int> add_network(const std::shared_ptr<const Model>& model, const ImageJob& job, const Program& line, int tensor,
                        Append append, Resample resample) {
  for (int i = 0; i < job.repeats; ++i) {
    const Shape shape{1, 1, line.tensors[tensor].height, line.tensors[tensor].width};
    COCO_ASSIGN(const auto shapes, format::resolve_shapes(model->program(), std::span(&shape, 1)));
    COCO_ASSIGN(const auto outputs, append(shapes, std::span<const int>(&tensor, 1)));
    tensor = outputs[0];
    if (line.tensors[tensor].channels != 1)
      return make_error(ErrorCode::kUnsupported, "model '" + model->card().name + "' gives " +
                                                     std::to_string(line.tensors[tensor].channels) +
                                                     " channels; luma networks give one");
  }
  if (line.tensors[tensor].width != job.out_width || line.tensors[tensor].height != job.out_height)
    tensor = resample(tensor, job.out_width, job.out_height, kernel_of(job.filter));
  return tensor;
}

Result<std::unique_ptr<runtime::LineExecutor>> make_line(const std::shared_ptr<const Model>& model, const ImageJob& job,
                                                         const SessionOptions& options) {
  const kernels::Capabilities capabilities = runtime::capabilities_for(options);
  runtime::LineProgram line;
  const int source = line.add_source({1, job.in_height, job.in_width}, capabilities);
  COCO_ASSIGN(const int result, add_network(
                                    model, job, line, source,
                                    [&](std::span<const Shape> shapes, std::span<const int> inputs) {
                                      return line.append(model->program(), shapes, inputs, capabilities);
                                    },
                                    [&](int tensor, int width, int height, kernels::ResampleKernel kernel) {
                                      return line.add_resample(tensor, width, height, kernel, capabilities);
                                    }));
  line.add_sink(result, capabilities);
  line.fuse_last_sink(capabilities);
  return runtime::LineExecutor::create(std::move(line), options);
}

Result<std::unique_ptr<runtime::GpuExecutor>> make_gpu(const std::shared_ptr<const Model>& model, const ImageJob& job,
                                                       const SessionOptions& options) {
  runtime::GpuProgram gpu;
  const int source = gpu.add_source({backends::GpuLayout::kSamples, 1, job.in_height, job.in_width, job.in_type});
  COCO_ASSIGN(const int result, add_network(
                                    model, job, gpu, source,
                                    [&](std::span<const Shape> shapes, std::span<const int> inputs) {
                                      return gpu.append(model->program(), shapes, inputs);
                                    },
                                    [&](int tensor, int width, int height, kernels::ResampleKernel kernel) {
                                      return gpu.add_resample(tensor, width, height, kernel);
                                    }));
  gpu.add_sink(result, job.out_type);
  return runtime::GpuExecutor::create(std::move(gpu), options);
}

}  // namespace

Result<std::unique_ptr<ImageSession>> ImageSession::create(std::shared_ptr<const Model> model, const ImageJob& job,
                                                           const SessionOptions& options) {
  COCO_TRY(check_job(model, job, options));
  auto state = std::make_unique<State>();
  state->job = job;
  if (options.vulkan) {
    COCO_ASSIGN(state->gpu, make_gpu(model, job, options));
  } else {
    COCO_ASSIGN(state->executor, make_line(model, job, options));
    if (options.reuse) COCO_TRY(state->plan_reuse());
  }
  state->model = std::move(model);
  return std::unique_ptr<ImageSession>(new ImageSession(std::move(state)));
}

Status ImageSession::run(const PlaneView& in, const MutablePlaneView& out, int extra_tasks,
                         const std::function<void(int)>* extra) {
  const ImageJob& job = state_->job;
  if (in.width != job.in_width || in.height != job.in_height || in.type != job.in_type || in.data == nullptr)
    return make_error(ErrorCode::kInvalidArgument, "the input plane is not the planned " +
                                                       std::to_string(job.in_width) + " x " +
                                                       std::to_string(job.in_height) + " of the planned type");
  if (out.width != job.out_width || out.height != job.out_height || out.type != job.out_type || out.data == nullptr)
    return make_error(ErrorCode::kInvalidArgument, "the output plane is not the planned " +
                                                       std::to_string(job.out_width) + " x " +
                                                       std::to_string(job.out_height) + " of the planned type");
  if (state_->gpu) {
    const runtime::GpuRows rows[] = {{const_cast<void*>(in.data), in.stride}, {out.data, out.stride}};
    return state_->gpu->run(rows, extra_tasks, extra);
  }
  const Binding bindings[] = {{in.type, const_cast<void*>(in.data), in.stride, 0}, {out.type, out.data, out.stride, 0}};
  if (!state_->reuse) {
    state_->executor->run(bindings, extra_tasks, extra);
    return {};
  }
  state_->in = in, state_->out = out, state_->extra = extra;
  state_->executor->bind(bindings);
  state_->run_reusing(extra_tasks);
  return {};
}

}  // namespace coco
