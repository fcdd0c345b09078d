#include "compiler/onnx/external_data.h"

#include <charconv>
#include <filesystem>
#include <map>
#include <memory>

#include "base/mapped_file.h"
#include "format/program.h"

namespace coco::compiler {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  explicit Loader(const std::string& folder) : folder_(folder) {}

  Status load(onnx::GraphProto& graph) {
    for (onnx::TensorProto& tensor : *graph.mutable_initializer()) COCO_TRY(load(tensor));
    for (onnx::NodeProto& node : *graph.mutable_node()) {
      for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) COCO_TRY(load(*attribute.mutable_t()));
        if (attribute.has_g()) COCO_TRY(load(*attribute.mutable_g()));
      }
    }
    return {};
  }

 private:
  Status load(onnx::TensorProto& tensor) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL && tensor.external_data_size() == 0) return {};
    const std::string where = "tensor '" + tensor.name() + "'";
    if (folder_.empty()) {
      return make_error(ErrorCode::kUnsupported,
                        where +
                            " keeps its data in another file; compile the model from its file, "
                            "or save it with its weights inside");
    }
    std::string location;
    size_t offset = 0;
    std::optional<size_t> length;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") COCO_TRY(read_number(where, entry.value(), offset));
      if (entry.key() == "length") COCO_TRY(read_number(where, entry.value(), length.emplace()));
    }
    COCO_ASSIGN(const std::span<const uint8_t> file, open(where, location));
    const size_t rest = offset <= file.size() ? file.size() - offset : 0;
    if (offset > file.size() || length.value_or(rest) > rest) {
      return make_error(ErrorCode::kInvalidData, where + ": file '" + location + "' has " +
                                                     std::to_string(file.size()) + " bytes, too few; copy it anew");
    }
    total_ += length.value_or(rest);
    if (total_ > format::Limits::kMaxFileBytes) {
      return make_error(ErrorCode::kResourceLimit, "the model's weights in other files are larger than 1 GiB");
    }
    tensor.set_raw_data(file.data() + offset, length.value_or(rest));
    tensor.clear_external_data();
    tensor.clear_data_location();
    return {};
  }

  static Status read_number(const std::string& where, const std::string& text, size_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return {};
    return make_error(ErrorCode::kInvalidData, where + ": '" + text + "' is no offset or length in a file");
  }

  Result<std::span<const uint8_t>> open(const std::string& where, const std::string& location) {
    if (const auto it = files_.find(location); it != files_.end()) return it->second->bytes();
    std::error_code error;
    const fs::path root = fs::weakly_canonical(folder_, error);
    const fs::path path = fs::weakly_canonical(root / location, error);
    const fs::path inside = path.lexically_relative(root);
    if (location.empty() || error || inside.empty() || *inside.begin() == ".." || fs::path(location).is_absolute()) {
      return make_error(
          ErrorCode::kInvalidData,
          where + ": file '" + location + "' is not in the model's folder; weights are read from there only");
    }
    auto file = MappedFile::open(path.string(), format::Limits::kMaxFileBytes);
    if (!file.ok()) return make_error(file.error().code, where + ": " + file.error().message);
    return (files_[location] = std::move(file).value())->bytes();
  }

  std::string folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
  size_t total_ = 0;
};

}  // namespace

Status load_external_data(onnx::ModelProto& model, const std::string& folder) {
  return Loader(folder).load(*model.mutable_graph());
}

}  // namespace coco::compiler
