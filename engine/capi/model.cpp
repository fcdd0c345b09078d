// Models.
#include <algorithm>
#include <string>

#include "capi/enums.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "coco/compile.h"
#include "format/container.h"

namespace coco::capi {

Status write_tensor_info(std::span<const TensorInfo> tensors, size_t index, const char* what, coco_tensor_info* out) {
  if (index >= tensors.size()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "no " + std::to_string(index) + " among " + std::to_string(tensors.size()) + " " + what);
  }
  const TensorInfo& tensor = tensors[index];
  if (tensor.shape.rank() > COCO_MAX_RANK) {
    return make_error(ErrorCode::kUnsupported, "'" + tensor.name + "' has more dimensions than coco_tensor_info");
  }
  coco_tensor_info values{};
  values.name = tensor.name.c_str();
  values.type = to_c(tensor.type);
  values.rank = static_cast<int32_t>(tensor.shape.rank());
  std::copy(tensor.shape.dims().begin(), tensor.shape.dims().end(), values.dims);
  values.bytes = static_cast<size_t>(tensor.shape.element_count().value_or(0)) * byte_size(tensor.type);
  return write_struct(out, values, "coco_tensor_info");
}

namespace {

static_assert(COCO_DYNAMIC == kDynamicDim);

Result<coco_model*> handle_of(Result<std::shared_ptr<const Model>> model) {
  if (!model.ok()) return model.take_error();
  return new coco_model{std::move(model).value()};
}

Result<coco_model*> from_memory(std::span<const uint8_t> bytes) {
  const bool is_coco =
      bytes.size() >= format::kMagic.size() && std::equal(format::kMagic.begin(), format::kMagic.end(), bytes.begin());
  if (is_coco) return handle_of(Model::from_bytes(bytes));
  COCO_ASSIGN(const std::vector<uint8_t> compiled, compile_onnx_bytes(bytes, {}));
  return handle_of(Model::from_bytes(compiled));
}

}  // namespace
}  // namespace coco::capi

using namespace coco;
using namespace coco::capi;

coco_error coco_model_load(const char* path, coco_model** model) {
  return make(model, [&]() -> Result<coco_model*> {
    COCO_TRY(require(path, "path"));
    return handle_of(load_or_compile(path));
  });
}

coco_error coco_model_from_memory(const void* data, size_t bytes, coco_model** model) {
  return make(model, [&]() -> Result<coco_model*> {
    COCO_TRY(require(data, "data"));
    return from_memory({static_cast<const uint8_t*>(data), bytes});
  });
}

coco_error coco_model_load_shipped(const char* name, coco_model** model) {
  return make(model, [&]() -> Result<coco_model*> {
    COCO_TRY(require(name, "name"));
    COCO_ASSIGN(const std::string path, vision::find_model_file(name));
    return handle_of(load_or_compile(path));
  });
}

void coco_model_free(coco_model* model) { delete model; }

coco_error coco_model_get_info(const coco_model* model, coco_model_info* info) {
  return call([&]() -> Status {
    COCO_TRY(require(model, "model"));
    const ModelCard& card = model->model->card();
    coco_model_info values{};
    values.name = card.name.c_str();
    values.task = card.task.c_str();
    values.description = card.description.c_str();
    values.licence = card.licence.c_str();
    values.training_data = card.training_data.c_str();
    values.range = card.range.c_str();
    values.sha256 = model->model->sha256().c_str();
    values.scale = card.scale;
    return write_struct(info, values, "coco_model_info");
  });
}

size_t coco_model_input_count(const coco_model* model) { return model == nullptr ? 0 : model->model->inputs().size(); }
size_t coco_model_output_count(const coco_model* model) {
  return model == nullptr ? 0 : model->model->outputs().size();
}

coco_error coco_model_get_input(const coco_model* model, size_t index, coco_tensor_info* info) {
  return call([&]() -> Status {
    COCO_TRY(require(model, "model"));
    return write_tensor_info(model->model->inputs(), index, "inputs", info);
  });
}

coco_error coco_model_get_output(const coco_model* model, size_t index, coco_tensor_info* info) {
  return call([&]() -> Status {
    COCO_TRY(require(model, "model"));
    return write_tensor_info(model->model->outputs(), index, "outputs", info);
  });
}
