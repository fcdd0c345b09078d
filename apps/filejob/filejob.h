// Purpose: the offline file path: demux, decode, upscale or label, encode, mux, with nothing of the source lost.
// Ownership: a job is a value; the model is shared.
// Threads: run_upscale_job() uses its own threads and returns when they have ended; hooks are called from them, one
// call at a time. Failure: on error or cancellation the output path is untouched and the partial file is removed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coco/disclosure.h"
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

/// Metadata of a file: keys and values.
using Tags = std::vector<std::pair<std::string, std::string>>;

/// What every job has: a file in, one picture out for each in, a file out.
struct FileJob {
  std::string input;
  std::string output;  ///< container by extension; an existing file is replaced at the end
  EncoderSettings encoder;
  Tags tags;                      ///< of the whole file, over those of the source
  bool drop_unsupported = false;  ///< leave out streams the container cannot hold instead of failing
  bool keep_damaged = false;      ///< make what can be made of a truncated source instead of failing
  bool encode = true;             ///< false: decode and work only, nothing is written
};

struct UpscaleJob : FileJob {
  std::shared_ptr<const Model> model;  ///< null: luma is resampled by `filter`
  ResampleFilter filter = ResampleFilter::kBicubic;
  int out_width = 0, out_height = 0;  ///< 0: `scale` times the first frame's size
  double scale = 2;
  SessionOptions session;
  vision::Tuning tuning = vision::Tuning::kCached;
};

/// Labels and marks every frame as altered; see coco/disclosure.h.
struct DiscloseJob : FileJob {
  bool label = true;
  std::optional<vision::MarkPayload> mark;
  double mark_strength = 1;
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
Result<Report> run_disclose_job(const DiscloseJob& job, const Hooks& hooks);

/// The metadata of a file: the container's, and what its video stream has besides.
Result<Tags> read_tags(const std::string& path);
/// Copies a file, no packet changed, with these tags over its own.
Status copy_with_tags(const std::string& input, const std::string& output, const Tags& tags,
                      const std::function<void(const std::string&)>& note);

/// Shows a file's frames one after the other, as they are or as the nearest format the tasks read; false from `show`
/// ends it. Returns how many were shown.
Result<int64_t> show_frames(const std::string& path, const std::function<Result<bool>(const FrameView&)>& show);

/// Names of the video encoders `upscale` chooses from that this machine has, best first.
std::vector<std::string> available_encoders();
/// "libavformat 59.27.100, libavcodec ..." as found at run time.
std::string library_versions();

}  // namespace coco::filejob
