// Purpose: what the C handles hold, and what their functions share.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capi/call.h"
#include "coco/coco.h"
#include "coco/session.h"
#include "coco/vision.h"

struct coco_model {
  std::shared_ptr<const coco::Model> model;
};

namespace coco::capi {

/// True while a call runs; a second one is refused instead of spoiling the first.
class Busy {
 public:
  Status enter() {
    if (!flag_.test_and_set(std::memory_order_acquire)) return {};
    return make_error(ErrorCode::kInvalidArgument,
                      "another thread is in a call with this handle; make one handle for each thread");
  }
  void leave() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_;
};

/// Enters a handle for the length of a scope.
class Entered {
 public:
  explicit Entered(Busy& busy) : busy_(busy) {}
  ~Entered() { busy_.leave(); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Busy& busy_;
};

/// The C++ model, null for NULL.
inline std::shared_ptr<const Model> model_of(const coco_model* model) {
  return model == nullptr ? nullptr : model->model;
}

/// kInvalidArgument, which says `what` has it, for a rank that no shape can have.
Result<Shape> shape_of(const coco_shape& shape, const std::string& what);

/// Defaults for NULL.
Result<SessionOptions> session_options(const coco_session_options* options);

Status write_stats(const SessionStats& stats, const ReuseStats& reuse, coco_session_stats* out);

/// The tensor at `index`; the error says how many `what` ("inputs") there are.
Status write_tensor_info(std::span<const TensorInfo> tensors, size_t index, const char* what, coco_tensor_info* out);

}  // namespace coco::capi
