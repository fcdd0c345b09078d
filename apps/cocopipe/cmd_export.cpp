#include <algorithm>
#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "base/file.h"
#include "coco/compile.h"
#include "format/program.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model, onnx;
  bool quiet = false;
};

Result<int> export_model(const Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  auto bytes = export_onnx_qdq(*model);
  if (!bytes.ok()) return make_error(bytes.error().code, "'" + path + "': " + bytes.error().message);
  COCO_TRY(write_file_atomically(options.onnx, *bytes));
  if (options.quiet) return static_cast<int>(kOk);
  const auto& operators = model->program().operators;
  const auto count = [&](format::OpKind kind) {
    return std::count_if(operators.begin(), operators.end(), [kind](const auto& op) { return op.kind() == kind; });
  };
  std::printf("%s: %zu bytes, opset 13, %ld integer and %ld float convolutions\n", options.onnx.c_str(), bytes->size(),
              static_cast<long>(count(format::OpKind::kQuantConv2d)),
              static_cast<long>(count(format::OpKind::kConv2d)));
  return static_cast<int>(kOk);
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "write an integer model as standard ONNX for other engines");
  command->add_option("model", options->model, "shipped model, .coco file, or quantized .onnx file")->required();
  command
      ->add_option("--onnx-qdq", options->onnx,
                   "the .onnx file to write: QuantizeLinear and DequantizeLinear around float operators, opset 13")
      ->required();
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer("Example: cocopipe export net8.coco --onnx-qdq net8.onnx");
  command->callback([options, &action] { action = [options] { return export_model(*options); }; });
}

}  // namespace coco::cli
