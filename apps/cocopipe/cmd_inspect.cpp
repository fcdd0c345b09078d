#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/model_card.h"
#include "coco/compile.h"
#include "format/program.h"
#include "format/weight_sizes.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model;
  Size size;
  bool json = false;
};

std::vector<Shape> input_shapes(const Model& model, const Size& size) {
  std::vector<Shape> shapes;
  for (const TensorInfo& input : model.inputs()) {
    Shape shape = input.shape;
    const size_t rank = shape.rank();
    for (size_t i = 0; i < rank; ++i) {
      if (shape[i] != kDynamicDim) continue;
      shape[i] = i + 2 == rank ? size.height : i + 1 == rank ? size.width : 1;
    }
    shapes.push_back(shape);
  }
  return shapes;
}

nlohmann::ordered_json tensors_json(const std::vector<TensorInfo>& tensors) {
  auto list = nlohmann::ordered_json::array();
  for (const TensorInfo& tensor : tensors) {
    list.push_back({{"name", tensor.name}, {"type", to_string(tensor.type)}, {"shape", tensor.shape.dims()}});
  }
  return list;
}

void print_tensors(const char* label, const std::vector<TensorInfo>& tensors) {
  for (const TensorInfo& tensor : tensors) {
    std::printf("%-16s%s %s %s\n", label, tensor.name.c_str(), std::string(to_string(tensor.type)).c_str(),
                tensor.shape.to_string().c_str());
  }
}

Result<int> inspect(const Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  const std::vector<Shape> inputs = input_shapes(*model, options.size);
  COCO_ASSIGN(const std::vector<Shape> shapes, format::resolve_shapes(model->program(), inputs));
  const int64_t macs = format::count_macs(model->program(), shapes);
  int64_t constant_bytes = 0;
  for (const format::Value& value : model->program().values) {
    constant_bytes += static_cast<int64_t>(value.constant.bytes.size());
  }
  const format::WeightSizes weights = format::weight_sizes(model->program());
  if (options.json) {
    const nlohmann::ordered_json json = {{"path", path},
                                         {"sha256", model->sha256()},
                                         {"card", to_json(model->card())},
                                         {"inputs", tensors_json(model->inputs())},
                                         {"outputs", tensors_json(model->outputs())},
                                         {"operators", model->program().operators.size()},
                                         {"constant_bytes", constant_bytes},
                                         {"weights",
                                          {{"elements", weights.elements},
                                           {"zeros", weights.zeros},
                                           {"dense_f32_bytes", weights.dense_f32},
                                           {"csr_f32_bytes", weights.csr_f32},
                                           {"file_bytes", weights.file}}},
                                         {"macs", macs}};
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return static_cast<int>(kOk);
  }
  std::printf("%-16s%s\n%-16s%s\n%s", "file", path.c_str(), "sha256", model->sha256().c_str(),
              to_lines(model->card()).c_str());
  print_tensors("input", model->inputs());
  print_tensors("output", model->outputs());
  std::printf("%-16s%s\n", "weights", format::to_text(weights).c_str());
  std::printf("%-16s%lld\n%-16s%lld (dynamic sides taken as %dx%d)\n\n", "constant bytes",
              static_cast<long long>(constant_bytes), "MACs", static_cast<long long>(macs), options.size.width,
              options.size.height);
  std::printf("%s", format::to_text(model->program(), shapes).c_str());
  return static_cast<int>(kOk);
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  options->size = {1920, 1080};
  CLI::App* command = app.add_subcommand("inspect", "show a model: card, program, shapes, work and bytes per layer");
  command->add_option("model", options->model, "shipped model, .coco or .onnx file")->required();
  add_size(*command, "--input-size", options->size, "size taken for dynamic sides; default 1920x1080");
  command->add_flag("--json", options->json, "print the card and totals as JSON");
  command->footer("Example: cocopipe inspect sr2x-s --input-size 1280x720");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace coco::cli
