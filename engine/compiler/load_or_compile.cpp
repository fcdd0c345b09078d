#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"
#include "compiler/compile_program.h"
#include "format/container.h"

namespace coco {
namespace {

bool is_coco(std::span<const uint8_t> bytes) {
  return bytes.size() >= format::kMagic.size() &&
         std::equal(format::kMagic.begin(), format::kMagic.end(), bytes.begin());
}

}  // namespace

Result<std::shared_ptr<const Model>> load_or_compile(const std::string& path) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, format::Limits::kMaxFileBytes));
  if (is_coco(file->bytes()) || std::filesystem::path(path).extension() == ".coco") return Model::load(path);
  CompileOptions options;
  options.card.name = std::filesystem::path(path).stem().string();
  options.folder = std::filesystem::absolute(path).parent_path().string();
  auto program = compiler::compile_program(file->bytes(), options);
  if (!program.ok()) return make_error(program.error().code, path + ": " + program.error().message);
  return Model::from_program(std::move(program).value());
}

}  // namespace coco
