#include <optional>
#include <string>
#include <utility>

#include "base/thread_pool.h"
#include "coco/session.h"
#include "runtime/line_executor.h"
#include "runtime/tile_reuse.h"

namespace coco {

using backends::Binding;
using backends::RowTensor;

struct ImageSession::State {
  std::shared_ptr<const Model> model;
  ImageJob job;
  std::unique_ptr<runtime::LineExecutor> executor;
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
const SessionStats& ImageSession::stats() const { return state_->executor->stats(); }
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

}  // namespace

Result<std::unique_ptr<ImageSession>> ImageSession::create(std::shared_ptr<const Model> model, const ImageJob& job,
                                                           const SessionOptions& options) {
  COCO_TRY(check_job(model, job, options));
  const kernels::Capabilities capabilities = runtime::capabilities_for(options);
  runtime::LineProgram line;
  int tensor = line.add_source({1, job.in_height, job.in_width}, capabilities);
  for (int i = 0; i < job.repeats; ++i) {
    const RowTensor in = line.tensors[tensor];
    const Shape shape{1, 1, in.height, in.width};
    COCO_ASSIGN(const auto shapes, format::resolve_shapes(model->program(), std::span(&shape, 1)));
    COCO_ASSIGN(const auto outputs, line.append(model->program(), shapes, std::span(&tensor, 1), capabilities));
    tensor = outputs[0];
    if (line.tensors[tensor].channels != 1)
      return make_error(ErrorCode::kUnsupported, "model '" + model->card().name + "' gives " +
                                                     std::to_string(line.tensors[tensor].channels) +
                                                     " channels; luma networks give one");
  }
  if (line.tensors[tensor].width != job.out_width || line.tensors[tensor].height != job.out_height)
    tensor = line.add_resample(
        tensor, job.out_width, job.out_height,
        job.filter == ResampleFilter::kBicubic ? kernels::ResampleKernel::kBicubic : kernels::ResampleKernel::kLanczos3,
        capabilities);
  line.add_sink(tensor, capabilities);
  line.fuse_last_sink(capabilities);
  auto state = std::make_unique<State>();
  state->job = job;
  state->model = std::move(model);
  COCO_ASSIGN(state->executor, runtime::LineExecutor::create(std::move(line), options));
  if (options.reuse) COCO_TRY(state->plan_reuse());
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
