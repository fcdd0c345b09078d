// Purpose: the offline file path: demux, decode, upscale, encode, mux, with nothing of the source lost.
// Ownership: a job is a value; the model is shared.
// Threads: run_upscale_job() uses its own threads and returns when they have ended; hooks are called from them, one
// call at a time. Failure: on error or cancellation the output path is untouched and the partial file is removed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coco/model.h"
#include "coco/session.h"
#include "coco/status.h"
#include "coco/vision.h"

namespace coco::filejob {

struct EncoderSettings {
  std::string codec;   ///< FFmpeg encoder name; empty: libx264, or the best one this machine and the container have
  int crf = -1;        ///< constant quality; -1: 18, or the encoder's own default where it has no such scale
  std::string preset;  ///< empty: "fast" for libx264 and libx265, else the encoder's own default
};

struct UpscaleJob {
  std::string input;
  std::string output;                  ///< container by extension; an existing file is replaced at the end
  std::shared_ptr<const Model> model;  ///< null: luma is resampled by `filter`
  ResampleFilter filter = ResampleFilter::kBicubic;
  int out_width = 0, out_height = 0;  ///< 0: `scale` times the first frame's size
  double scale = 2;
  EncoderSettings encoder;
  SessionOptions session;
  vision::Tuning tuning = vision::Tuning::kCached;
  bool drop_unsupported = false;  ///< leave out streams the container cannot hold instead of failing
  bool keep_damaged = false;      ///< make what can be made of a truncated source instead of failing
  bool encode = true;             ///< false: decode and upscale only, nothing is written
};

struct Progress {
  int64_t frames = 0;        ///< encoded so far (upscaled, without encoding)
  int64_t total_frames = 0;  ///< 0: unknown
  double seconds = 0;        ///< since the start
};

enum class StopLevel : int {
  kNone = 0,
  kFinish = 1,  ///< stop reading, finish the file with what was read
  kAbort = 2,   ///< stop now and remove the partial file
};

struct Hooks {
  std::function<void(const Progress&)> progress;
  std::function<void(const std::string&)> note;  ///< one-line remarks and warnings
  const std::atomic<int>* stop = nullptr;        ///< a StopLevel, polled
};

struct Report {
  int64_t frames_in = 0, frames_out = 0;
  int in_width = 0, in_height = 0, out_width = 0, out_height = 0;
  /// Wall time of the job, and time each stage was at work (they overlap).
  double seconds = 0, decode_seconds = 0, upscale_seconds = 0, encode_seconds = 0;
  std::string encoder, executor;
  int threads = 0;
  double reused = 0;  ///< share of the pictures' tiles that stood still and were not computed again
  int64_t decode_errors = 0;
  int resolution_changes = 0;
  bool interrupted = false;
};

Result<Report> run_upscale_job(const UpscaleJob& job, const Hooks& hooks);

/// Names of the video encoders `upscale` chooses from that this machine has, best first.
std::vector<std::string> available_encoders();
/// "libavformat 59.27.100, libavcodec ..." as found at run time.
std::string library_versions();

}  // namespace coco::filejob
