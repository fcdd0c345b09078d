#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/npy.h"
#include "coco/compile.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model, executor = "auto", device = "cpu";
  std::vector<std::string> inputs, outputs;
  SessionOptions session;
  bool quiet = false;
};

/// Puts "name=file" and plain "file" arguments in the order of `tensors`; "" where none was given.
Result<std::vector<std::string>> assign_files(const std::vector<std::string>& arguments,
                                              const std::vector<TensorInfo>& tensors, const char* kind) {
  std::vector<std::string> files(tensors.size());
  size_t next = 0;
  for (const std::string& argument : arguments) {
    size_t index = tensors.size();
    std::string file = argument;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const std::string prefix = tensors[i].name + "=";
      if (argument.compare(0, prefix.size(), prefix) != 0) continue;
      index = i;
      file = argument.substr(prefix.size());
    }
    if (index == tensors.size()) index = next++;
    if (index >= tensors.size() || !files[index].empty()) {
      return make_error(ErrorCode::kInvalidArgument, std::string("the model has ") + std::to_string(tensors.size()) +
                                                         " " + kind + "s; '" + argument + "' is one too many");
    }
    files[index] = file;
  }
  return files;
}

Result<std::vector<NpyArray>> read_inputs(const Model& model, const Options& options) {
  COCO_ASSIGN(const std::vector<std::string> files, assign_files(options.inputs, model.inputs(), "input"));
  std::vector<NpyArray> arrays;
  for (size_t i = 0; i < files.size(); ++i) {
    const TensorInfo& tensor = model.inputs()[i];
    if (files[i].empty()) {
      return make_error(ErrorCode::kInvalidArgument, "input '" + tensor.name + "' " + tensor.shape.to_string() +
                                                         " has no file; give --input FILE.npy");
    }
    COCO_ASSIGN(NpyArray array, read_npy(files[i]));
    if (array.type != tensor.type) {
      return make_error(ErrorCode::kInvalidArgument, "input '" + tensor.name + "' is " +
                                                         std::string(to_string(tensor.type)) + " but '" + files[i] +
                                                         "' holds " + std::string(to_string(array.type)));
    }
    arrays.push_back(std::move(array));
  }
  return arrays;
}

Result<int> infer(Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  if (options.executor == "line") options.session.executor = ExecutorKind::kLine;
  if (options.executor == "layer") options.session.executor = ExecutorKind::kLayer;
  COCO_ASSIGN(options.session.vulkan, named_device(options.device));
  COCO_ASSIGN(const std::vector<NpyArray> inputs, read_inputs(*model, options));
  COCO_ASSIGN(const std::vector<std::string> files, assign_files(options.outputs, model->outputs(), "output"));
  std::vector<Shape> shapes;
  std::vector<TensorView> views;
  for (const NpyArray& array : inputs) {
    shapes.push_back(array.shape);
    views.push_back({array.type, array.shape, array.bytes.data()});
  }
  COCO_ASSIGN(const auto session, Session::create(model, shapes, options.session));
  std::vector<NpyArray> outputs;
  for (const TensorInfo& info : session->outputs()) {
    const auto count = info.shape.element_count();
    if (!count) return make_error(ErrorCode::kInternal, "output '" + info.name + "' has no size");
    outputs.push_back(
        {info.type, info.shape, std::vector<uint8_t>(static_cast<size_t>(*count) * byte_size(info.type))});
  }
  std::vector<MutableTensorView> targets;
  for (NpyArray& array : outputs) targets.push_back({array.type, array.shape, array.bytes.data()});
  COCO_TRY(session->run(views, targets));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!files[i].empty()) COCO_TRY(write_npy(files[i], outputs[i]));
    if (options.quiet) continue;
    const TensorInfo& info = session->outputs()[i];
    std::printf("%s %s %s %s\n", info.name.c_str(), std::string(to_string(info.type)).c_str(),
                info.shape.to_string().c_str(), files[i].empty() ? "(not written)" : files[i].c_str());
  }
  return static_cast<int>(kOk);
}

}  // namespace

void add_infer(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("infer", "run a model on NumPy arrays");
  command->add_option("model", options->model, "shipped model, .coco or .onnx file")->required();
  command->add_option("--input", options->inputs, "FILE.npy or NAME=FILE.npy, in the model's order (repeatable)")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--output", options->outputs, "FILE.npy or NAME=FILE.npy to write (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--executor", options->executor, "auto, line or layer")
      ->check(CLI::IsMember({"auto", "line", "layer"}));
  add_device(*command, options->device);
  add_threads(*command, options->session);
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer("Example: cocopipe infer net.onnx --input a.npy --output b.npy");
  command->callback([options, &action] { action = [options] { return infer(*options); }; });
}

}  // namespace coco::cli
