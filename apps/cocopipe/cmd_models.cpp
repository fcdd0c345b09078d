#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/model_card.h"
#include "coco/vision.h"

namespace coco::cli {
namespace {

Result<int> list(bool as_json) {
  auto json = nlohmann::ordered_json::array();
  const std::vector<vision::ShippedModel> models = vision::list_models();
  for (const vision::ShippedModel& shipped : models) {
    const auto model = Model::load(shipped.path);
    if (as_json) {
      nlohmann::ordered_json entry = {{"name", shipped.name}, {"path", shipped.path}};
      if (model.ok()) entry["card"] = to_json(model.value()->card());
      if (!model.ok()) entry["error"] = model.error().message;
      json.push_back(entry);
      continue;
    }
    std::string figures = model.ok() ? model.value()->card().task : "cannot be loaded: " + model.error().message;
    if (model.ok()) {
      for (const auto& [name, value] : model.value()->card().figures) {
        figures += "  ";
        figures += name;
        figures += ' ';
        figures += value;
      }
    }
    std::printf("%-12s %s\n%-12s %s\n", shipped.name.c_str(), figures.c_str(), "", shipped.path.c_str());
  }
  if (as_json) std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  if (models.empty()) {
    const auto missing = vision::find_model_file("sr2x-s");
    return missing.ok() ? make_error(ErrorCode::kNotFound, "no models found") : missing.error();
  }
  return static_cast<int>(kOk);
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("models", "list the models that can be named");
  command->add_flag("--json", *as_json, "print names, paths and cards as JSON");
  command->footer("Folders: COCO_MODEL_PATH, then beside the program.\nExample: cocopipe models");
  command->callback([as_json, &action] { action = [as_json] { return list(*as_json); }; });
}

}  // namespace coco::cli
