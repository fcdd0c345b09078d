#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

#include "base/thread_pool.h"
#include "coco/vision.h"
#include "vision/chroma.h"
#include "vision/geometry.h"

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

}  // namespace

struct Upscaler::State {
  UpscalerConfig config;
  std::unique_ptr<ImageSession> luma;  ///< null: pass-through
  ChromaScaler chroma;
  SessionStats copy_stats;
  // The frames of the running process(); the stored functions below read them, so that a call builds no closure.
  FrameView in;
  MutableFrameView out;
  std::function<void(int)> chroma_task;
  std::function<void(int, int)> copy_task;

  void copy_rows(int task) const;
};

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
  if (job.repeats == 0) model = nullptr;
  COCO_ASSIGN(state->luma, ImageSession::create(std::move(model), job, config.session));
  state->chroma = ChromaScaler(config.format, config.chroma_site, config.in_width, config.in_height, config.out_width,
                               config.out_height);
  state->chroma_task = [raw](int task) { raw->chroma.run(task, raw->in, raw->out); };
  return std::unique_ptr<Upscaler>(new Upscaler(std::move(state)));
}

const UpscalerConfig& Upscaler::config() const { return state_->config; }

const SessionStats& Upscaler::stats() const { return state_->luma ? state_->luma->stats() : state_->copy_stats; }

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
