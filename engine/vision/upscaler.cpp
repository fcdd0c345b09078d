#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "base/thread_pool.h"
#include "coco/log.h"
#include "coco/tuning.h"
#include "coco/vision.h"
#include "vision/chroma.h"
#include "vision/geometry.h"
#include "vision/tuning_cache.h"

namespace coco::vision {
namespace {

/// Rows of all planes one task of a pass-through copies.
constexpr int kCopyRows = 128;

Status check_size(const char* what, int width, int height) {
  if (width >= 1 && width <= kMaxFrameSize && height >= 1 && height <= kMaxFrameSize) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    std::string(what) + " size " + std::to_string(width) + "x" + std::to_string(height) +
                        " is outside 1x1 to " + std::to_string(kMaxFrameSize) + "x" + std::to_string(kMaxFrameSize));
}

/// What tuning says of this job; nothing when the caller plans himself or nothing is known.
TunedPlan tuned_plan(const std::shared_ptr<const Model>& model, const UpscalerConfig& config) {
  const SessionOptions& session = config.session;
  const bool planned = session.strip_width > 0 || session.band_height > 0;
  if (config.tuning == Tuning::kOff || planned || session.reference_kernels || session.vulkan) return {};
  const std::optional<TunedPlan> known = read_tuning(tuning_folder(), tuning_key(model.get(), config));
  if (known || config.tuning == Tuning::kCached) return known.value_or(TunedPlan{});
  const Result<TuningResult> result = tune(model, config);
  if (result.ok()) return result->plan;
  log(LogLevel::kWarning, "not tuned: " + result.error().message);
  return {};
}

}  // namespace

struct Upscaler::State {
  UpscalerConfig config;
  bool tuned = false;
  std::unique_ptr<ImageSession> luma;  ///< null: pass-through
  ChromaScaler chroma;
  SessionStats copy_stats;
  // The frames of the running process(); the stored functions below read them, so that a call builds no closure.
  FrameView in;
  MutableFrameView out;
  std::function<void(int)> chroma_task;
  std::function<void(int, int)> copy_task;

  Status plan_luma(std::shared_ptr<const Model> model, const ImageJob& job, const TunedPlan& plan);
  void copy_rows(int task) const;
};

Status Upscaler::State::plan_luma(std::shared_ptr<const Model> model, const ImageJob& job, const TunedPlan& plan) {
  if (plan != TunedPlan{}) {
    SessionOptions session = config.session;
    session.strip_width = plan.strip_width;
    session.band_height = plan.band_height;
    Result<std::unique_ptr<ImageSession>> made = ImageSession::create(model, job, session);
    tuned = made.ok();
    if (tuned) {
      luma = std::move(made).value();
      return {};
    }
  }
  COCO_ASSIGN(luma, ImageSession::create(std::move(model), job, config.session));
  return {};
}

// Output row y of every plane at once: the chroma rows of a task are the halves of its luma rows.
void Upscaler::State::copy_rows(int task) const {
  for (int plane = 0; plane < plane_count(config.format); ++plane) {
    const auto index = static_cast<size_t>(plane);
    const PlaneSize size = plane_size(config.format, plane, config.in_width, config.in_height);
    const int rows = plane == 0 ? kCopyRows : kCopyRows / 2;
    for (int y = task * rows; y < std::min((task + 1) * rows, size.rows); ++y) {
      std::memcpy(static_cast<char*>(out.data[index]) + y * out.stride[index],
                  static_cast<const char*>(in.data[index]) + y * in.stride[index], static_cast<size_t>(size.row_bytes));
    }
  }
}

Upscaler::Upscaler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upscaler::~Upscaler() = default;

Result<std::unique_ptr<Upscaler>> Upscaler::create(std::shared_ptr<const Model> model, const UpscalerConfig& config) {
  COCO_TRY(check_size("input", config.in_width, config.in_height));
  COCO_TRY(check_size("output", config.out_width, config.out_height));
  if (config.session.threads < 0) {
    return make_error(ErrorCode::kInvalidArgument, "threads is " + std::to_string(config.session.threads) +
                                                       "; use 0 for all cores, or a positive number");
  }
  auto state = std::make_unique<State>();
  State* const raw = state.get();
  state->config = config;
  int scale = 1;
  if (model) {
    COCO_ASSIGN(scale, network_scale(*model));
  }
  if (config.in_width == config.out_width && config.in_height == config.out_height) {
    state->copy_stats.executor = "copy";
    state->copy_stats.threads = config.session.threads > 0 ? config.session.threads : ThreadPool::process().threads();
    state->copy_task = [raw](int task, int) { raw->copy_rows(task); };
    return std::unique_ptr<Upscaler>(new Upscaler(std::move(state)));
  }
  ImageJob job;
  job.in_width = config.in_width;
  job.in_height = config.in_height;
  job.out_width = config.out_width;
  job.out_height = config.out_height;
  job.in_type = job.out_type = sample_type(config.format);
  job.repeats =
      model ? network_repeats(scale, config.in_width, config.in_height, config.out_width, config.out_height) : 0;
  job.filter = config.filter;
  const TunedPlan plan = tuned_plan(model, config);
  if (job.repeats == 0) model = nullptr;
  COCO_TRY(state->plan_luma(std::move(model), job, plan));
  state->chroma = ChromaScaler(config.format, config.chroma_site, config.in_width, config.in_height, config.out_width,
                               config.out_height);
  state->chroma_task = [raw](int task) { raw->chroma.run(task, raw->in, raw->out); };
  return std::unique_ptr<Upscaler>(new Upscaler(std::move(state)));
}

const UpscalerConfig& Upscaler::config() const { return state_->config; }

const SessionStats& Upscaler::stats() const { return state_->luma ? state_->luma->stats() : state_->copy_stats; }

bool Upscaler::tuned() const { return state_->tuned; }

ReuseStats Upscaler::reuse_stats() const { return state_->luma ? state_->luma->reuse_stats() : ReuseStats{}; }

Status Upscaler::process(const FrameView& in, const MutableFrameView& out) {
  State& state = *state_;
  const UpscalerConfig& config = state.config;
  COCO_TRY(check_frame("input", in, config.format, config.in_width, config.in_height));
  COCO_TRY(check_frame("output", out, config.format, config.out_width, config.out_height));
  state.in = in;
  state.out = out;
  if (!state.luma) {
    const int tasks = (config.in_height + kCopyRows - 1) / kCopyRows;
    ThreadPool::process().parallel_for(tasks, config.session.threads, state.copy_task);
    return {};
  }
  const SampleType type = sample_type(config.format);
  const PlaneView luma_in{in.data[0], in.stride[0], in.width, in.height, type};
  const MutablePlaneView luma_out{out.data[0], out.stride[0], out.width, out.height, type};
  return state.luma->run(luma_in, luma_out, state.chroma.tasks(), &state.chroma_task);
}

}  // namespace coco::vision
