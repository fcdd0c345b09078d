#include "tune/network_source.h"

#include <nlohmann/json.hpp>

#include "tune/network.h"

namespace coco::tune {

Result<std::unique_ptr<Trainable>> make_network(const NetworkSource& source, Random& random) {
  COCO_TRY(check_architecture(source.architecture));
  return std::unique_ptr<Trainable>(std::make_unique<Network>(source.architecture, source.branches, random));
}

std::string name_of(const NetworkSource& source) { return source.architecture.name; }

std::string to_json(const NetworkSource& source) {
  return nlohmann::json{{"architecture", nlohmann::json::parse(to_json(source.architecture))},
                        {"branches", source.branches == Branches::kRich ? "rich" : "plain"}}
      .dump();
}

Result<NetworkSource> source_from_json(const std::string& text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    NetworkSource source;
    COCO_ASSIGN(source.architecture, architecture_from_json(json.at("architecture").dump()));
    source.branches = json.at("branches") == "rich" ? Branches::kRich : Branches::kPlain;
    return source;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData, std::string("not the description of a network: ") + e.what());
  }
}

}  // namespace coco::tune
