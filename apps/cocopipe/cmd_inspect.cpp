#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/drawing/drawing.h"
#include "apps/cocopipe/measure.h"
#include "apps/cocopipe/model_card.h"
#include "base/file.h"
#include "coco/compile.h"
#include "format/program.h"
#include "format/weight_sizes.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model;
  Size size;
  bool json = false, times = true;
  std::string dot, svg;
  SessionOptions session;
};

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

constexpr double kSeconds = 0.3;

/// Draws the graph as imported, for ONNX files, and as it runs.
Status draw(const Options& options, const std::string& path, const std::shared_ptr<const Model>& model,
            std::span<const Shape> inputs, std::span<const Shape> shapes) {
  std::vector<DrawnProgram> drawn;
  std::shared_ptr<const Model> before;
  std::vector<Shape> before_shapes;
  if (path.ends_with(".onnx")) {
    COCO_ASSIGN(before, imported_model(path));
    COCO_ASSIGN(before_shapes, format::resolve_shapes(before->program(), inputs));
    const std::string count = std::to_string(before->program().operators.size());
    drawn.push_back({"as imported: " + count + " operators", &before->program(), before_shapes, {}, false});
  }
  SessionOptions session = options.session;
  session.profile = true;
  std::vector<OperatorProfile> operators;
  if (options.times) {
    COCO_ASSIGN(operators, profile_operators(model, inputs, session, kSeconds));
  } else {
    COCO_ASSIGN(const auto planned, Session::create(model, inputs, session));
    operators = planned->profile();
  }
  const std::string count = std::to_string(model->program().operators.size());
  drawn.push_back(
      {"as it runs: " + count + " operators", &model->program(), shapes, std::move(operators), options.times});
  const std::string dot = to_dot(drawn);
  const auto write = [](const std::string& file, const std::string& text) {
    return write_file_atomically(file, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  if (!options.dot.empty()) COCO_TRY(write(options.dot, dot));
  if (options.svg.empty()) return {};
  size_t all = 0;
  for (const DrawnProgram& program : drawn) all += program.program->operators.size();
  COCO_ASSIGN(const std::string svg, svg_from_dot(dot, all));
  return write(options.svg, svg);
}

Result<int> inspect(const Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  const std::vector<Shape> inputs = shapes_at(*model, options.size);
  COCO_ASSIGN(const std::vector<Shape> shapes, format::resolve_shapes(model->program(), inputs));
  if (!options.dot.empty() || !options.svg.empty()) {
    COCO_TRY(draw(options, path, model, inputs, shapes));
    return static_cast<int>(kOk);
  }
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
  command->add_option("--dot", options->dot, "write the graph, as imported and as it runs, to this file for Graphviz");
  command->add_option("--svg", options->svg, "the same as a picture");
  command->add_flag("!--no-times", options->times, "draw without running the model");
  add_threads(*command, options->session);
  command->footer(
      "Example: cocopipe inspect sr2x-s --input-size 1280x720\n"
      "         cocopipe inspect net.onnx --svg net.svg");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace coco::cli
