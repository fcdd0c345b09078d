#include "coco/model.h"

#include <utility>

#include "base/mapped_file.h"
#include "format/container.h"
#include "format/program.h"

namespace coco {

struct Model::State {
  format::Program program;
  std::string sha256;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};

namespace {

std::vector<TensorInfo> describe(const format::Program& program, const std::vector<int32_t>& numbers) {
  std::vector<TensorInfo> infos;
  for (int32_t number : numbers) {
    const format::Value& value = program.values[static_cast<size_t>(number)];
    infos.push_back({value.name, value.type, value.shape});
  }
  return infos;
}

}  // namespace

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->inputs = describe(state_->program, state_->program.inputs);
  state_->outputs = describe(state_->program, state_->program.outputs);
}

Model::~Model() = default;

Result<std::shared_ptr<const Model>> Model::load(const std::string& path) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, format::Limits::kMaxFileBytes));
  auto state = std::make_unique<State>();
  Result<format::Program> program = format::read_program(file->bytes(), file, &state->sha256);
  if (!program.ok()) {
    Error error = program.take_error();
    error.message = "'" + path + "': " + error.message;
    return error;
  }
  state->program = std::move(program).value();
  return std::shared_ptr<const Model>(new Model(std::move(state)));
}

Result<std::shared_ptr<const Model>> Model::from_bytes(std::span<const uint8_t> bytes) {
  auto state = std::make_unique<State>();
  COCO_ASSIGN(state->program, format::read_program(bytes, nullptr, &state->sha256));
  return std::shared_ptr<const Model>(new Model(std::move(state)));
}

Result<std::shared_ptr<const Model>> Model::from_program(format::Program program) {
  auto state = std::make_unique<State>();
  format::complete_inputs(program);
  COCO_ASSIGN(const std::vector<uint8_t> bytes, format::write_program(program));
  COCO_ASSIGN(format::Container parts, format::open_container(bytes));
  state->sha256 = std::move(parts.sha256);
  state->program = std::move(program);
  return std::shared_ptr<const Model>(new Model(std::move(state)));
}

const ModelCard& Model::card() const { return state_->program.card; }
const std::vector<TensorInfo>& Model::inputs() const { return state_->inputs; }
const std::vector<TensorInfo>& Model::outputs() const { return state_->outputs; }
const std::string& Model::sha256() const { return state_->sha256; }
const format::Program& Model::program() const { return state_->program; }

}  // namespace coco
