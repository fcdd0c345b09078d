#include "apps/cocopipe/model_card.h"

#include "base/mapped_file.h"

namespace coco::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxCardBytes = 1 << 20;

struct TextField {
  const char* key;
  std::string ModelCard::*member;
};
constexpr TextField kTextFields[] = {
    {"name", &ModelCard::name},
    {"task", &ModelCard::task},
    {"description", &ModelCard::description},
    {"licence", &ModelCard::licence},
    {"training_data", &ModelCard::training_data},
    {"command", &ModelCard::command},
    {"range", &ModelCard::range},
};

Error bad(const std::string& path, const std::string& what) {
  return make_error(ErrorCode::kInvalidData, "model card '" + path + "': " + what);
}

Status read_field(const std::string& path, const std::string& key, const Json& value, ModelCard& card) {
  for (const TextField& field : kTextFields) {
    if (key != field.key) continue;
    if (!value.is_string()) return bad(path, "'" + key + "' must be a string");
    card.*field.member = value.get<std::string>();
    return {};
  }
  if (key == "scale") {
    if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > 16) {
      return bad(path, "'scale' must be a whole number from 1 to 16");
    }
    card.scale = value.get<int>();
    return {};
  }
  if (key == "figures") {
    if (!value.is_object()) return bad(path, "'figures' must be an object");
    card.figures.clear();
    for (const auto& [name, figure] : value.items()) {
      card.figures.emplace_back(name, figure.is_string() ? figure.get<std::string>() : figure.dump());
    }
    return {};
  }
  return bad(path, "unknown key '" + key + "'; known are name, task, description, licence, training_data, command, " +
                       "range, scale, figures");
}

}  // namespace

Status read_card(const std::string& path, ModelCard& card) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMaxCardBytes));
  const auto bytes = file->bytes();
  const Json json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded() || !json.is_object()) return bad(path, "not a JSON object; check its syntax");
  for (const auto& [key, value] : json.items()) COCO_TRY(read_field(path, key, value, card));
  return {};
}

Json to_json(const ModelCard& card) {
  Json json;
  for (const TextField& field : kTextFields) json[field.key] = card.*field.member;
  json["scale"] = card.scale;
  json["figures"] = Json::object();
  for (const auto& [name, figure] : card.figures) json["figures"][name] = figure;
  return json;
}

std::string to_lines(const ModelCard& card) {
  std::string text;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (value.empty()) return;
    text += key;
    text.append(key.size() < 16 ? 16 - key.size() : 1, ' ');
    text += value;
    text += '\n';
  };
  for (const TextField& field : kTextFields) add(field.key, card.*field.member);
  add("scale", std::to_string(card.scale));
  for (const auto& [name, figure] : card.figures) add(name, figure);
  return text;
}

}  // namespace coco::cli
