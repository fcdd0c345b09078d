#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/mapped_file.h"
#include "coco/disclosure.h"

namespace coco::vision {

MarkPayload mark_payload(const ContentOrigin& origin) {
  constexpr uint8_t kVendor = 0xC0;
  const std::string text = origin.producer + "\n" + origin.id;
  const std::string hash = sha256_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return {kVendor, std::stoull(hash.substr(0, 10), nullptr, 16)};
}

std::optional<std::string> aigc_passed_on(std::string_view text, const ContentOrigin& origin) {
  if (!read_aigc_metadata(text)) return std::nullopt;
  auto json = nlohmann::ordered_json::parse(text);
  json["ContentPropagator"] = origin.producer;
  json["PropagateID"] = origin.id;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string aigc_metadata(const ContentOrigin& origin) {
  const nlohmann::ordered_json json = {{"Label", "1"},
                                       {"ContentProducer", origin.producer},
                                       {"ProduceID", origin.id},
                                       {"ReservedCode1", ""},
                                       {"ContentPropagator", ""},
                                       {"PropagateID", ""},
                                       {"ReservedCode2", ""}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ContentOrigin> read_aigc_metadata(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto field = [&](const char* name) -> std::optional<std::string> {
    const auto it = json.find(name);
    if (it == json.end() || !it->is_string()) return std::nullopt;
    return it->get<std::string>();
  };
  const auto label = field("Label"), producer = field("ContentProducer"), id = field("ProduceID");
  // 1, 2 and 3: it is, may be, is suspected to be generated.
  const bool known = label == "1" || label == "2" || label == "3";
  if (!known || !producer || !id) return std::nullopt;
  return ContentOrigin{*producer, *id};
}

std::string disclosure_manifest(const ContentOrigin& origin, const std::string& title,
                                const std::string& content_sha256, const std::string& time_utc) {
  const nlohmann::ordered_json json = {
      {"claim_generator", "cocopipe"},
      {"title", title},
      {"signed", false},
      {"assertions",
       {{{"label", "c2pa.actions"},
         {"data",
          {{"actions",
            {{{"action", "c2pa.edited"},
              {"when", time_utc},
              {"softwareAgent", "cocopipe"},
              {"digitalSourceType",
               "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"}}}}}}},
        {{"label", "c2pa.hash.data"}, {"data", {{"alg", "sha256"}, {"hash", content_sha256}}}},
        {{"label", "cocopipe.origin"}, {"data", {{"producer", origin.producer}, {"id", origin.id}}}}}}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<LabelPolicy> read_label_policy(const std::string& path) {
  constexpr size_t kMostBytes = 1 << 16;
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMostBytes));
  const auto wrong = [&path](const std::string& what) {
    return make_error(ErrorCode::kInvalidData, "'" + path + "' is no policy for labels: " + what);
  };
  const auto bytes = file->bytes();
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!json.is_object()) return wrong("it is not a JSON object");
  LabelPolicy policy;
  for (const auto& [key, value] : json.items()) {
    if (key == "waive_visible_label") {
      if (!value.is_boolean()) return wrong("'waive_visible_label' is not true or false");
      policy.waive_visible_label = value;
      continue;
    }
    std::string* text = key == "responsible" ? &policy.responsible
                        : key == "reason"    ? &policy.reason
                        : key == "agreed"    ? &policy.agreed
                                             : nullptr;
    if (text == nullptr)
      return wrong("there is no '" + key + "'; there are waive_visible_label, responsible, reason, agreed");
    if (!value.is_string()) return wrong("'" + key + "' is no text");
    *text = value;
  }
  if (!policy.waive_visible_label) return policy;
  for (const auto& [name, text] :
       {std::pair{"responsible", &policy.responsible}, {"reason", &policy.reason}, {"agreed", &policy.agreed}}) {
    if (text->empty()) return wrong(std::string("a label is waived without '") + name + "'");
  }
  return policy;
}

}  // namespace coco::vision
