#include "apps/cocopipe/command.h"

#include <charconv>
#include <cstdio>
#include <filesystem>

#include "coco/compile.h"
#include "coco/vision.h"
#include "coco/vulkan.h"
#include "vision/tuning_cache.h"

namespace coco::cli {
namespace {

constexpr int kMaxSide = 16384;

bool parse_side(const char* begin, const char* end, int& side) {
  const auto [rest, error] = std::from_chars(begin, end, side);
  return error == std::errc() && rest == end && side >= 1 && side <= kMaxSide;
}

std::string parse_size(const std::string& text, Size& size) {
  const size_t cross = text.find('x');
  const char* data = text.data();
  const bool good = cross != std::string::npos && parse_side(data, data + cross, size.width) &&
                    parse_side(data + cross + 1, data + text.size(), size.height);
  return good ? "" : "'" + text + "' is not WIDTHxHEIGHT with sides of 1 to 16384, for example 3840x2160";
}

}  // namespace

CLI::Option* add_size(CLI::App& app, const std::string& name, Size& size, const std::string& help) {
  const auto take = [&size](const std::string& text) {
    const std::string error = parse_size(text, size);
    if (!error.empty()) throw CLI::ValidationError(error);
  };
  return app.add_option_function<std::string>(name, take, help)->type_name("WxH");
}

CLI::Option* add_sizes(CLI::App& app, const std::string& name, std::vector<Size>& sizes, const std::string& help) {
  const auto take = [&sizes](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::string error = parse_size(text, sizes.emplace_back());
      if (!error.empty()) throw CLI::ValidationError(error);
    }
  };
  return app.add_option_function<std::vector<std::string>>(name, take, help)->type_name("WxH");
}

Result<InputShapes::value_type> read_input_shape(const std::string& text) {
  const Error bad = make_error(ErrorCode::kInvalidArgument,
                               "--input-shape '" + text + "' is not NAME=D,D,..., for example input=1,3,224,224");
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return bad;
  std::vector<int64_t> dims;
  for (size_t at = equals + 1; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    int64_t dim = 0;
    const auto [rest, error] = std::from_chars(text.data() + at, text.data() + end, dim);
    if (error != std::errc() || rest != text.data() + end || dim < 1) return bad;
    dims.push_back(dim);
    at = end + 1;
  }
  return std::pair(text.substr(0, equals), Shape(std::move(dims)));
}

void add_threads(CLI::App& app, SessionOptions& session) {
  app.add_option("--threads", session.threads, "threads of the network; 0: all cores allowed to the process")
      ->check(CLI::Range(0, 1024));
}

void add_device(CLI::App& app, std::string& name) {
  app.add_option("--device", name,
                 "where the network runs: cpu, vulkan or vulkan:INDEX (doctor lists them); default cpu");
}

Result<std::shared_ptr<VulkanDevice>> named_device(const std::string& name) {
  VulkanOptions options;
  options.cache_folder = vision::tuning_folder();
  return open_device(name, options);
}

void add_reuse(CLI::App& app, SessionOptions& session) {
  session.reuse = true;
  app.add_flag("!--no-reuse", session.reuse, "compute parts of the picture that stand still again in every frame");
}

Result<std::string> model_file(const std::string& name_or_path) {
  if (name_or_path.find_first_of("/.") != std::string::npos) return name_or_path;
  return vision::find_model_file(name_or_path);
}

Result<std::shared_ptr<const Model>> imported_model(const std::string& onnx_file, const InputShapes& shapes) {
  CompileOptions plain;
  plain.input_shapes = shapes;
  plain.optimize = false;
  COCO_ASSIGN(const std::vector<uint8_t> bytes, compile_onnx_file(onnx_file, plain));
  return Model::from_bytes(bytes);
}

void print_note(const std::string& text) { std::fprintf(stderr, "cocopipe: note: %s\n", text.c_str()); }

std::string program_folder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "" : program.parent_path().string();
}

}  // namespace coco::cli
