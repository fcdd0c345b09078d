// Purpose: the tasks, frame in, result out: Upscaler.
// Ownership: frames are borrowed for the call; the caller provides the output frame.
// Threads: one process() at a time per object; objects are independent.
// Failure: create() validates model and geometry; process() only that the frames fit them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coco/buffer.h"
#include "coco/export.h"
#include "coco/model.h"
#include "coco/session.h"
#include "coco/status.h"

namespace coco::vision {

/// Where the plan comes from that SessionOptions leaves open. The pixels are the same with any.
enum class Tuning {
  kOff,     ///< the planner
  kCached,  ///< what tuning has found for this very job on this machine (coco/tuning.h), else the planner
  kMeasure  ///< the same, but measured for a second or two where nothing is known
};

struct UpscalerConfig {
  PixelFormat format = PixelFormat::kI420;           ///< of both frames
  int in_width = 0, in_height = 0;                   ///< 1..16384
  int out_width = 0, out_height = 0;                 ///< 1..16384, any ratio; equal to the input: pass-through copy
  ChromaSite chroma_site = ChromaSite::kLeft;        ///< of both frames
  ResampleFilter filter = ResampleFilter::kBicubic;  ///< of luma, without a network or behind it
  SessionOptions session;                            ///< threads and plan overrides
  Tuning tuning = Tuning::kCached;
};

/// Upscales frames: luma by the network (repeated while the output is larger than one application makes, at most four
/// times, then resampled to the exact size; not at all when neither axis grows), chroma by an integer-exact
/// interpolator that keeps its siting, in one pass over the output. Matrix, range and transfer are the stream's own and
/// are not touched. A null model resamples luma without a network.
class COCO_API Upscaler {
 public:
  static Result<std::unique_ptr<Upscaler>> create(std::shared_ptr<const Model> model, const UpscalerConfig& config);
  ~Upscaler();

  const UpscalerConfig& config() const;
  const SessionStats& stats() const;
  /// The plan is one that tuning found.
  bool tuned() const;
  /// What config().session.reuse saved of luma; all zero without it.
  ReuseStats reuse_stats() const;
  /// Sizes and formats must be the configured ones; any strides.
  Status process(const FrameView& in, const MutableFrameView& out);

 private:
  struct State;
  explicit Upscaler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// How load_upscale_model opens a file. Without one it opens .coco files only; a program or plugin that links the
/// compiler passes coco::load_or_compile once, at its start, and .onnx files work as well. Null restores the default.
using ModelLoader = Result<std::shared_ptr<const Model>> (*)(const std::string& path);
COCO_API void set_model_loader(ModelLoader loader);

/// A shipped model ("sr2x-s") as found by find_model_file(), or a .coco/.onnx path. "bicubic" and "lanczos" give a null
/// pointer: luma is resampled, by the filter of resample_filter().
COCO_API Result<std::shared_ptr<const Model>> load_upscale_model(const std::string& name_or_path);
/// kLanczos3 for "lanczos", kBicubic for everything else.
COCO_API ResampleFilter resample_filter(const std::string& name_or_path);

/// A shipped model's file: in COCO_MODEL_PATH (colon-separated folders), beside the program or plugin
/// (../share/cocopipe/models, ../models), or in the source tree it was built from. kNotFound lists the folders looked
/// in.
COCO_API Result<std::string> find_model_file(const std::string& name);

struct ShippedModel {
  std::string name;
  std::string path;
};
/// Every model find_model_file can find, by name.
COCO_API std::vector<ShippedModel> list_models();

}  // namespace coco::vision
