#include "tune/training_state.h"

#include <cstdlib>

namespace coco::tune {
namespace {

Status copy_into(const Checkpoint& checkpoint, const std::string& name, torch::Tensor target) {
  const torch::NoGradGuard no_grad;
  COCO_ASSIGN(const torch::Tensor source, checkpoint.tensor(name));
  if (source.sizes() != target.sizes()) {
    return make_error(ErrorCode::kInvalidData, "the checkpoint's tensor '" + name + "' has another shape");
  }
  target.copy_(source);
  return {};
}

Status copy_all(const Checkpoint& checkpoint, const char* prefix, const std::vector<NamedTensor>& targets) {
  for (const NamedTensor& t : targets) COCO_TRY(copy_into(checkpoint, prefix + t.name, t.tensor));
  return {};
}

Result<uint64_t> read_number(const Checkpoint& checkpoint, const std::string& name) {
  COCO_ASSIGN(const std::string text, checkpoint.text(name));
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') {
    return make_error(ErrorCode::kInvalidData, "the checkpoint's entry '" + name + "' is not a number");
  }
  return value;
}

}  // namespace

Checkpoint take_snapshot(const TrainingState& state, const std::string& subject) {
  Checkpoint c;
  c.texts["subject"] = subject;
  c.texts["iteration"] = std::to_string(state.iteration);
  c.texts["random"] = std::to_string(state.random.state());
  c.texts["optimizer_steps"] = std::to_string(state.optimizer.steps());
  const auto add = [&c](const char* prefix, const std::vector<NamedTensor>& tensors) {
    for (const NamedTensor& t : tensors) c.tensors[prefix + t.name] = t.tensor;
  };
  add("parameter.", state.network.parameters());
  add("optimizer.", state.optimizer.state());
  add("average.", state.average);
  if (state.constraint != nullptr) add("constraint.", state.constraint->state());
  return c;
}

Status restore_snapshot(const Checkpoint& c, const std::string& subject, const std::string& path,
                        const TrainingState& state) {
  COCO_ASSIGN(const std::string written, c.text("subject"));
  if (written != subject) {
    return make_error(ErrorCode::kInvalidArgument, "'" + path +
                                                       "' was written with other options; give the same ones to "
                                                       "resume. It has " +
                                                       written);
  }
  COCO_ASSIGN(const uint64_t iteration, read_number(c, "iteration"));
  COCO_ASSIGN(const uint64_t random, read_number(c, "random"));
  COCO_ASSIGN(const uint64_t steps, read_number(c, "optimizer_steps"));
  COCO_TRY(copy_all(c, "parameter.", state.network.parameters()));
  COCO_TRY(copy_all(c, "optimizer.", state.optimizer.state()));
  COCO_TRY(copy_all(c, "average.", state.average));
  if (state.constraint != nullptr) COCO_TRY(copy_all(c, "constraint.", state.constraint->state()));
  state.iteration = static_cast<int64_t>(iteration);
  state.optimizer.set_steps(static_cast<int64_t>(steps));
  state.random.set_state(random);
  return {};
}

Status read_average(const Checkpoint& checkpoint, const std::vector<NamedTensor>& values) {
  return copy_all(checkpoint, "average.", values);
}

Status read_parameters(const Checkpoint& checkpoint, const std::vector<NamedTensor>& parameters) {
  return copy_all(checkpoint, "parameter.", parameters);
}

}  // namespace coco::tune
