#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "coco/vision.h"

namespace coco::vision {
namespace {

namespace fs = std::filesystem;

const char* const kExtensions[] = {".coco", ".onnx"};

std::atomic<ModelLoader> model_loader{nullptr};

/// Folder of the shared object or program this code was linked into.
fs::path module_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&module_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code failed;
  const fs::path path = fs::canonical(info.dli_fname, failed);
  return failed ? fs::path() : path.parent_path();
}

fs::path program_folder() {
  std::error_code failed;
  const fs::path path = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : path.parent_path();
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    const fs::path normal = folder.lexically_normal();
    if (std::find(folders.begin(), folders.end(), normal) == folders.end()) folders.push_back(normal);
  };
  if (const char* list = std::getenv("COCO_MODEL_PATH")) {
    std::stringstream entries(list);
    for (std::string entry; std::getline(entries, entry, ':');) {
      if (!entry.empty()) add(entry);
    }
  }
  for (const fs::path& base : {module_folder(), program_folder()}) {
    if (base.empty()) continue;
    // A program in PREFIX/bin, a plugin in PREFIX/lib/gstreamer-1.0 or PREFIX/lib/ARCH/gstreamer-1.0, a build tree.
    for (const char* relative : {"../share/cocopipe/models", "../../share/cocopipe/models",
                                 "../../../share/cocopipe/models", "../models", "../../models"}) {
      add(base / relative);
    }
  }
  add(COCO_SOURCE_MODELS);
  return folders;
}

bool is_file(const fs::path& path) {
  std::error_code failed;
  return fs::is_regular_file(path, failed);
}

bool is_path(const std::string& name_or_path) {
  const std::string extension = fs::path(name_or_path).extension();
  return name_or_path.find('/') != std::string::npos ||
         std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions);
}

Error not_found(const std::string& name, const std::vector<fs::path>& folders) {
  std::string message = "no model named '" + name + "'; known:";
  for (const ShippedModel& model : list_models()) message += " " + model.name;
  message += " bicubic lanczos; looked in:";
  for (const fs::path& folder : folders) message += " " + folder.string();
  return make_error(ErrorCode::kNotFound, message + "; COCO_MODEL_PATH adds folders");
}

}  // namespace

void set_model_loader(ModelLoader loader) { model_loader = loader; }

Result<std::string> find_model_file(const std::string& name) {
  const std::vector<fs::path> folders = model_folders();
  if (!name.empty() && name.find('/') == std::string::npos) {
    for (const fs::path& folder : folders) {
      for (const char* extension : kExtensions) {
        const fs::path path = folder / (name + extension);
        if (is_file(path)) return path.string();
      }
    }
  }
  return not_found(name, folders);
}

std::vector<ShippedModel> list_models() {
  std::vector<ShippedModel> models;
  for (const fs::path& folder : model_folders()) {
    std::error_code failed;
    for (const char* extension : kExtensions) {
      for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
        const fs::path& path = it->path();
        if (path.extension() != extension || !is_file(path)) continue;
        const std::string name = path.stem();
        const bool known = std::any_of(models.begin(), models.end(), [&](const auto& m) { return m.name == name; });
        if (!known) models.push_back({name, path.string()});
      }
    }
  }
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return models;
}

ResampleFilter resample_filter(const std::string& name_or_path) {
  return name_or_path == "lanczos" ? ResampleFilter::kLanczos3 : ResampleFilter::kBicubic;
}

Result<std::shared_ptr<const Model>> load_upscale_model(const std::string& name_or_path) {
  if (name_or_path == "bicubic" || name_or_path == "lanczos") return std::shared_ptr<const Model>();
  std::string path = name_or_path;
  if (!is_path(name_or_path)) {
    COCO_ASSIGN(path, find_model_file(name_or_path));
  }
  if (const ModelLoader loader = model_loader) return loader(path);
  if (fs::path(path).extension() == ".onnx") {
    return make_error(ErrorCode::kUnavailable,
                      path +
                          ": this program was built without the ONNX importer; compile the model to a .coco file "
                          "with `cocopipe compile` first");
  }
  return Model::load(path);
}

}  // namespace coco::vision
