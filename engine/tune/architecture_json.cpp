#include <array>
#include <nlohmann/json.hpp>

#include "tune/architecture.h"

namespace coco::tune {
namespace {

constexpr std::array<std::string_view, 5> kActivations = {"none", "prelu", "relu", "clip", "tanh"};
constexpr std::array<std::string_view, 4> kBases = {"none", "nearest", "bilinear", "bicubic"};
constexpr std::array<std::string_view, 2> kEnds = {"shuffle", "deconvolution"};

template <typename Enum, size_t N>
bool find_name(const std::array<std::string_view, N>& names, std::string_view text, Enum& value) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] != text) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

template <typename Enum>
Enum read_enum(const nlohmann::json& json, const char* key) {
  Enum value{};
  if (!from_string(json.at(key).get<std::string>(), value)) throw std::runtime_error(std::string("bad ") + key);
  return value;
}

}  // namespace

std::string_view to_string(Activation value) { return kActivations[static_cast<size_t>(value)]; }
std::string_view to_string(Base value) { return kBases[static_cast<size_t>(value)]; }
std::string_view to_string(End value) { return kEnds[static_cast<size_t>(value)]; }
bool from_string(std::string_view text, Activation& value) { return find_name(kActivations, text, value); }
bool from_string(std::string_view text, Base& value) { return find_name(kBases, text, value); }
bool from_string(std::string_view text, End& value) { return find_name(kEnds, text, value); }

std::string to_json(const Architecture& a) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerSpec& l : a.layers) {
    layers.push_back({{"in", l.in},
                      {"out", l.out},
                      {"kernel", l.kernel},
                      {"depthwise", l.depthwise},
                      {"activation", to_string(l.activation)},
                      {"clip", l.clip}});
  }
  return nlohmann::json{{"name", a.name},          {"scale", a.scale},          {"unshuffle", a.unshuffle},
                        {"end", to_string(a.end)}, {"base", to_string(a.base)}, {"layers", layers}}
      .dump();
}

Result<Architecture> architecture_from_json(const std::string& text) {
  Architecture a;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    a.name = json.at("name").get<std::string>();
    a.scale = json.at("scale");
    a.unshuffle = json.at("unshuffle");
    a.end = read_enum<End>(json, "end");
    a.base = read_enum<Base>(json, "base");
    for (const nlohmann::json& l : json.at("layers")) {
      a.layers.push_back({l.at("in"), l.at("out"), read_enum<Activation>(l, "activation"), l.at("kernel"),
                          l.at("depthwise"), l.at("clip")});
    }
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData, std::string("not an architecture: ") + e.what());
  }
  COCO_TRY(check_architecture(a));
  return a;
}

}  // namespace coco::tune
