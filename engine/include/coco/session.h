// Purpose: runs a model. A Session is planned once for given input shapes, then runs without allocating.
// Ownership: the session shares its Model; views passed to run are borrowed until it returns.
// Threads: one run at a time per session; different sessions run concurrently on the process's pool.
// Failure: everything is validated when planning; run only checks that the views fit the plan.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coco/buffer.h"
#include "coco/export.h"
#include "coco/model.h"
#include "coco/status.h"
#include "coco/tensor.h"

namespace coco {

class VulkanDevice;

/// How a program is executed: row by row through the cache, or operator by operator over whole tensors.
enum class ExecutorKind { kAuto, kLine, kLayer };

/// Techniques that can be switched off, so that what each one gives can be measured. Integer results stay the same, f32
/// ones within the kernels' tolerance.
struct Techniques {
  bool depth_first = true;  ///< off: whole tensors, operator by operator (Session only, not ImageSession)
  bool row_pairs = true;    ///< two rows of a 3-row f32 convolution at once
  bool skip_zeros = true;   ///< off: convolutions multiply pruned weights as well
};

struct SessionOptions {
  /// Where the network runs (coco/vulkan.h); null: the CPU. A network that Vulkan cannot run in whole is kUnsupported,
  /// naming the operator. Integer networks give the same bytes; what follows is the CPU's, but for `threads`.
  std::shared_ptr<VulkanDevice> vulkan;
  int threads = 0;                              ///< workers used at most; 0 = all cores allowed to the process
  ExecutorKind executor = ExecutorKind::kAuto;  ///< kLine fails with kUnsupported when the network is not local
  int strip_width = 0;  ///< line executor: output columns per strip; 0 = planned from the L2 size
  int band_height = 0;  ///< line executor: output rows per band; 0 = planned
  /// Image sessions: output tiles whose input is that of the frame before are kept (exact: same input, same output).
  /// Costs a comparison of the input a frame and a copy of both planes in memory.
  bool reuse = false;
  bool reference_kernels = false;  ///< scalar reference kernels only (tests, debugging)
  Techniques techniques;           ///< for measuring
  bool profile = false;            ///< times every operator, see Session::profile; costs a look at the clock a row
};

/// One operator of a profiled session, or what else a depth-first step spends its time with.
struct OperatorProfile {
  int index = -1;           ///< of the operator in the program; -1: none
  std::string name;         ///< the operator's; "" for others
  std::string op;           ///< "Conv2d", ...; "load", "store": a step's inputs and outputs; "wait": workers for others
  std::string kernel;       ///< the row of kernels.def chosen; "" where the operator has no kernel of its own
  int step = 0;             ///< operators with the same number run row by row in one go
  bool row_by_row = false;  ///< a part of a depth-first step
  int64_t macs = 0;         ///< of one run
  double ms = 0;            ///< of all runs so far; in depth-first steps what all workers spent over their number
};

/// Figures of a planned session.
struct SessionStats {
  std::string executor;    ///< "line", "layer" or "vulkan"
  size_t arena_bytes = 0;  ///< working memory held, all workers together; on a device: its and the host's side of it
  int strips = 0;          ///< line executor: vertical strips
  int bands = 0;           ///< line executor: horizontal bands
  int threads = 0;         ///< workers used at most
  int64_t macs = 0;        ///< multiply-accumulates of one run, halo recomputation not counted
};

/// What temporal reuse saved. Tiles of the last frame, and of all frames so far.
struct ReuseStats {
  int tiles = 0, kept = 0;
  int64_t total_tiles = 0, total_kept = 0;
};

class COCO_API Session {
 public:
  /// Plans `model` for these input shapes (one per model input, all static).
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model,
                                                 std::span<const Shape> input_shapes, const SessionOptions& options);
  ~Session();

  const std::vector<TensorInfo>& outputs() const;
  const SessionStats& stats() const;
  /// Dense f32 tensors in and out, in the model's order; the caller provides the outputs. Integer tensors
  /// are taken where the model declares them.
  Status run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs);
  /// In the order they run; empty without SessionOptions::profile, and on a device.
  std::vector<OperatorProfile> profile() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

enum class ResampleFilter { kBicubic, kLanczos3 };

/// Geometry of an image job: one plane through a 1-channel network, depth-first, straight from the caller's
/// samples into the caller's samples.
struct ImageJob {
  int in_width = 0, in_height = 0;
  SampleType in_type = SampleType::kU8;
  int out_width = 0, out_height = 0;
  SampleType out_type = SampleType::kU8;
  /// How often the network is applied, one after the other, before the resampling to the exact output size.
  /// 0: resampling only (no model needed).
  int repeats = 1;
  /// Filter of that resampling.
  ResampleFilter filter = ResampleFilter::kBicubic;
};

/// Runs image-to-image networks on planes. Samples are scaled to 0..1 on load (divided by max_value) and, on store,
/// multiplied, rounded half to even and clamped to 0..max_value. No frame-sized scratch exists but the
/// history of SessionOptions::reuse.
class COCO_API ImageSession {
 public:
  /// `model` may be null when job.repeats is 0. The network must have one 1-channel input and output.
  static Result<std::unique_ptr<ImageSession>> create(std::shared_ptr<const Model> model, const ImageJob& job,
                                                      const SessionOptions& options);
  ~ImageSession();

  const SessionStats& stats() const;
  /// All zero without SessionOptions::reuse.
  const ReuseStats& reuse_stats() const;
  /// Planes must have the planned sizes and types; any stride. `extra_tasks` further calls extra(i), i in
  /// [0, extra_tasks), are spread over the same workers in the same pass (the caller's chroma work).
  /// Returns when all is done. Allocates nothing.
  Status run(const PlaneView& in, const MutablePlaneView& out, int extra_tasks = 0,
             const std::function<void(int)>* extra = nullptr);

 private:
  struct State;
  explicit ImageSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coco
