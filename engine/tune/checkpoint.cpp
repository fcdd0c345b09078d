#include "tune/checkpoint.h"

#include <torch/serialize/archive.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"

namespace coco::tune {
namespace {

constexpr const char* kFormat = "cocopipe-tune-2";

std::string join_keys(const std::map<std::string, torch::Tensor>& tensors) {
  std::string names;
  for (const auto& [name, tensor] : tensors) names += name + "\n";
  return names;
}

std::string join_keys(const std::map<std::string, std::string>& texts) {
  std::string names;
  for (const auto& [name, text] : texts) names += name + "\n";
  return names;
}

Checkpoint read_archive(const std::string& path) {
  torch::serialize::InputArchive archive;
  archive.load_from(path, torch::kCPU);
  const auto read_text = [&archive](const std::string& key) {
    c10::IValue value;
    archive.read(key, value);
    return value.toStringRef();
  };
  if (read_text("format") != kFormat) throw std::runtime_error("written by another version");
  Checkpoint checkpoint;
  std::string name;
  for (std::istringstream names(read_text("tensor_names")); std::getline(names, name);) {
    archive.read("t:" + name, checkpoint.tensors[name]);
  }
  for (std::istringstream names(read_text("text_names")); std::getline(names, name);) {
    checkpoint.texts[name] = read_text("s:" + name);
  }
  return checkpoint;
}

/// libtorch's messages end in a stack trace; the first line says it all.
std::string first_line(const char* message) {
  const std::string text = message;
  return text.substr(0, text.find('\n'));
}

}  // namespace

Result<torch::Tensor> Checkpoint::tensor(const std::string& name) const {
  const auto it = tensors.find(name);
  if (it == tensors.end()) return make_error(ErrorCode::kInvalidData, "the checkpoint has no tensor '" + name + "'");
  return it->second;
}

Result<std::string> Checkpoint::text(const std::string& name) const {
  const auto it = texts.find(name);
  if (it == texts.end()) return make_error(ErrorCode::kInvalidData, "the checkpoint has no entry '" + name + "'");
  return it->second;
}

Status save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  std::ostringstream bytes;
  try {
    torch::serialize::OutputArchive archive;
    archive.write("format", c10::IValue(kFormat));
    archive.write("tensor_names", c10::IValue(join_keys(checkpoint.tensors)));
    archive.write("text_names", c10::IValue(join_keys(checkpoint.texts)));
    for (const auto& [name, tensor] : checkpoint.tensors) archive.write("t:" + name, tensor.detach());
    for (const auto& [name, text] : checkpoint.texts) archive.write("s:" + name, c10::IValue(text));
    archive.save_to(bytes);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, "cannot serialise checkpoint '" + path + "': " + first_line(e.what()));
  }
  const std::string text = std::move(bytes).str();
  return write_file_atomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

Result<Checkpoint> load_checkpoint(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    return make_error(ErrorCode::kNotFound, "no checkpoint '" + path + "'; train first, or give the right folder");
  }
  try {
    return read_archive(path);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData,
                      "'" + path + "' is not a checkpoint or is damaged: " + first_line(e.what()));
  }
}

}  // namespace coco::tune
