// Sessions.
#include "coco/session.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "capi/enums.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "coco/tuning.h"
#include "coco/vulkan.h"

namespace coco::capi {
namespace {

/// What the name means, opened where no session has it open.
Result<std::shared_ptr<VulkanDevice>> shared_device(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<VulkanDevice>> open;
  const std::lock_guard lock(mutex);
  if (auto device = open[name].lock()) return device;
  VulkanOptions options;
  options.cache_folder = vision::tuning_cache().folder;
  COCO_ASSIGN(std::shared_ptr<VulkanDevice> device, open_device(name, options));
  open[name] = device;
  return device;
}

/// The planned tensors on one side of a session, and a view of each for run() to point at the caller's memory.
template <typename View>
struct Side {
  std::vector<TensorInfo> tensors;
  std::vector<size_t> bytes;
  std::vector<View> views;

  explicit Side(std::vector<TensorInfo> planned) : tensors(std::move(planned)) {
    for (const TensorInfo& tensor : tensors) {
      bytes.push_back(static_cast<size_t>(tensor.shape.element_count().value_or(0)) * byte_size(tensor.type));
      views.push_back({tensor.type, tensor.shape, nullptr});
    }
  }

  /// `what` is "input" or "output". Makes no string unless it fails.
  template <typename Buffer>
  Status point_at(const Buffer* buffers, size_t count, const char* what) {
    const auto wrong = [&](const std::string& text) { return make_error(ErrorCode::kInvalidArgument, text); };
    if (count != tensors.size()) {
      return wrong("the model has " + std::to_string(tensors.size()) + " " + what + "s, " + std::to_string(count) +
                   " given");
    }
    if (count > 0 && buffers == nullptr) return wrong(std::string("the array of ") + what + "s is NULL");
    for (size_t i = 0; i < count; ++i) {
      const auto name = [&] { return std::string(what) + " " + std::to_string(i) + " ('" + tensors[i].name + "')"; };
      if (buffers[i].bytes != bytes[i]) {
        return wrong(name() + ": " + std::to_string(buffers[i].bytes) + " bytes given, " + std::to_string(bytes[i]) +
                     " planned: " + std::string(to_string(tensors[i].type)) + " " + tensors[i].shape.to_string());
      }
      if (reinterpret_cast<uintptr_t>(buffers[i].data) % byte_size(tensors[i].type) != 0) {
        return wrong(name() + ": the address is not aligned to its elements");
      }
      views[i].data = buffers[i].data;
    }
    return {};
  }
};

}  // namespace

Result<Shape> shape_of(const coco_shape& shape, const std::string& what) {
  if (shape.rank < 0 || shape.rank > COCO_MAX_RANK)
    return make_error(ErrorCode::kInvalidArgument, what + " has rank " + std::to_string(shape.rank));
  return Shape(std::vector<int64_t>(shape.dims, shape.dims + shape.rank));
}

Result<SessionOptions> session_options(const coco_session_options* options) {
  SessionOptions result;
  if (options == nullptr) return result;
  COCO_ASSIGN(const coco_session_options given, read_struct(options, "coco_session_options"));
  if (given.reserved != 0) {
    return make_error(ErrorCode::kUnsupported, "coco_session_options: reserved must be 0");
  }
  COCO_TRY(from_c(given.executor, result.executor));
  result.threads = given.threads;
  result.strip_width = given.strip_width;
  result.band_height = given.band_height;
  result.reuse = given.reuse != 0;
  if (given.device != nullptr) {
    COCO_ASSIGN(result.vulkan, shared_device(given.device));
  }
  if (result.threads < 0 || result.strip_width < 0 || result.band_height < 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "coco_session_options: threads, strip_width and band_height must not be negative");
  }
  return result;
}

Status write_stats(const SessionStats& stats, const ReuseStats& reuse, coco_session_stats* out) {
  coco_session_stats values{};
  values.executor = stats.executor.c_str();
  values.threads = stats.threads;
  values.strips = stats.strips;
  values.bands = stats.bands;
  values.arena_bytes = stats.arena_bytes;
  values.macs = stats.macs;
  values.tiles = reuse.total_tiles;
  values.kept_tiles = reuse.total_kept;
  return write_struct(out, values, "coco_session_stats");
}

}  // namespace coco::capi

using namespace coco;
using namespace coco::capi;

struct coco_session {
  std::unique_ptr<Session> session;
  Side<TensorView> inputs;
  Side<MutableTensorView> outputs;
  Busy busy;
};

namespace {

/// One shape for each input of the model; the model's own where none are given.
Result<std::vector<Shape>> input_shapes(const Model& model, const coco_shape* shapes, size_t count) {
  std::vector<Shape> result;
  if (shapes == nullptr && count == 0) {
    for (const TensorInfo& input : model.inputs()) {
      if (!input.shape.is_static()) {
        return make_error(ErrorCode::kInvalidArgument, "input '" + input.name + "' " + input.shape.to_string() +
                                                           " leaves dimensions open; give a shape for each input");
      }
      result.push_back(input.shape);
    }
    return result;
  }
  COCO_TRY(require(shapes, "shapes"));
  if (count != model.inputs().size()) {
    return make_error(ErrorCode::kInvalidArgument, "the model has " + std::to_string(model.inputs().size()) +
                                                       " inputs, " + std::to_string(count) + " shapes given");
  }
  for (size_t i = 0; i < count; ++i) {
    COCO_ASSIGN(Shape shape, shape_of(shapes[i], "shape " + std::to_string(i)));
    result.push_back(std::move(shape));
  }
  return result;
}

Result<coco_session*> create(const coco_model* model, const coco_shape* shapes, size_t count,
                             const coco_session_options* options) {
  COCO_TRY(require(model, "model"));
  COCO_ASSIGN(const SessionOptions wanted, session_options(options));
  COCO_ASSIGN(const std::vector<Shape> planned, input_shapes(*model->model, shapes, count));
  COCO_ASSIGN(auto session, Session::create(model->model, planned, wanted));
  std::vector<TensorInfo> inputs = model->model->inputs();
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].shape = planned[i];
  std::vector<TensorInfo> outputs = session->outputs();
  return new coco_session{std::move(session), Side<TensorView>(std::move(inputs)),
                          Side<MutableTensorView>(std::move(outputs)), Busy()};
}

}  // namespace

coco_error coco_session_create(const coco_model* model, const coco_shape* shapes, size_t shape_count,
                               const coco_session_options* options, coco_session** session) {
  return make(session, [&] { return create(model, shapes, shape_count, options); });
}

void coco_session_free(coco_session* session) { delete session; }

size_t coco_session_input_count(const coco_session* session) {
  return session == nullptr ? 0 : session->inputs.tensors.size();
}
size_t coco_session_output_count(const coco_session* session) {
  return session == nullptr ? 0 : session->outputs.tensors.size();
}

coco_error coco_session_get_input(const coco_session* session, size_t index, coco_tensor_info* info) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    return write_tensor_info(session->inputs.tensors, index, "inputs", info);
  });
}

coco_error coco_session_get_output(const coco_session* session, size_t index, coco_tensor_info* info) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    return write_tensor_info(session->outputs.tensors, index, "outputs", info);
  });
}

coco_error coco_session_get_stats(const coco_session* session, coco_session_stats* stats) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    return write_stats(session->session->stats(), {}, stats);
  });
}

coco_error coco_session_run(coco_session* session, const coco_const_buffer* inputs, size_t input_count,
                            const coco_buffer* outputs, size_t output_count) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    COCO_TRY(session->busy.enter());
    const Entered entered(session->busy);
    COCO_TRY(session->inputs.point_at(inputs, input_count, "input"));
    COCO_TRY(session->outputs.point_at(outputs, output_count, "output"));
    return session->session->run(session->inputs.views, session->outputs.views);
  });
}
