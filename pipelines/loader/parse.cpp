#include <algorithm>
#include <cctype>

#include "pipelines/loader/keys.h"
#include "pipelines/loader/message.h"
#include "pipelines/loader/variables.h"
#include "pipelines/loader/yaml_tree.h"

namespace coco::loader {
namespace {

const char* describe(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
  }
  return "";
}

bool is_word(const std::string& text) {
  if (text.empty() || text.size() > 64 || !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_')) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

class Reader {
 public:
  explicit Reader(const std::string& source_name) { out_.source_name = source_name; }

  Result<ParsedPipeline> read(const YamlNode& root) {
    COCO_TRY(require(root, YamlNode::Kind::kMap, "a pipeline file"));
    COCO_TRY(check_keys(root, kRootKeys, "the file"));
    if (const YamlNode* node = find(root, "description")) {
      COCO_ASSIGN(const Text text, scalar(*node, "description"));
      out_.description = text.value;
    }
    if (const YamlNode* node = find(root, "variables")) COCO_TRY(read_variables(*node));
    const YamlNode* pipeline = find(root, "pipeline");
    if (!pipeline) return error(root.position, "no 'pipeline:' list; it names the elements from source to sink");
    COCO_TRY(read_chain({"pipeline", pipeline->position}, *pipeline, true));
    if (const YamlNode* node = find(root, "branches")) COCO_TRY(read_branches(*node));
    COCO_TRY(check_names());
    COCO_TRY(check_variables(out_));
    return std::move(out_);
  }

 private:
  Error error(const Position& position, const std::string& message) const {
    return error_at(out_.source_name, position, message);
  }

  Status require(const YamlNode& node, YamlNode::Kind kind, const std::string& what) const {
    if (node.kind == kind) return {};
    return error(node.position, what + " must be " + describe(kind) + ", here is " + describe(node.kind));
  }

  Result<Text> scalar(const YamlNode& node, const std::string& what) const {
    COCO_TRY(require(node, YamlNode::Kind::kScalar, "'" + what + "'"));
    if (node.scalar.empty() && what != "default") return error(node.position, "'" + what + "' is empty");
    return Text{node.scalar, node.position};
  }

  Status check_keys(const YamlNode& map, const std::vector<std::string>& known, const std::string& where) const {
    for (const auto& [key, value] : map.entries) {
      if (std::find(known.begin(), known.end(), key.value) != known.end()) continue;
      return error(key.position, "unknown key " + in_quotes(key.value) + " in " + where +
                                     did_you_mean(key.value, known) + "; known here: " + join(known));
    }
    return {};
  }

  static const YamlNode* find(const YamlNode& map, std::string_view key) {
    for (const auto& [name, value] : map.entries) {
      if (name.value == key) return &value;
    }
    return nullptr;
  }

  Status read_variables(const YamlNode& node) {
    COCO_TRY(require(node, YamlNode::Kind::kMap, "'variables'"));
    for (const auto& [key, value] : node.entries) {
      if (!is_word(key.value)) return error(key.position, in_quotes(key.value) + " cannot be a variable's name");
      Variable variable;
      variable.name = key;
      const YamlNode* initial = &value;
      if (value.kind == YamlNode::Kind::kMap) {
        COCO_TRY(check_keys(value, kVariableKeys, "variable " + in_quotes(key.value)));
        if (const YamlNode* help = find(value, "help")) {
          COCO_ASSIGN(const Text text, scalar(*help, "help"));
          variable.help = text.value;
        }
        initial = find(value, "default");
      }
      if (initial && initial->kind != YamlNode::Kind::kNull) {
        COCO_ASSIGN(variable.default_value, scalar(*initial, "default"));
        variable.has_default = true;
      }
      out_.variables.push_back(std::move(variable));
    }
    return {};
  }

  Status read_branches(const YamlNode& node) {
    COCO_TRY(require(node, YamlNode::Kind::kMap, "'branches'"));
    for (const auto& [key, value] : node.entries) {
      if (!is_word(key.value)) return error(key.position, in_quotes(key.value) + " cannot be a branch's name");
      COCO_TRY(read_chain(key, value, false));
    }
    return {};
  }

  Status read_chain(const Text& name, const YamlNode& node, bool main) {
    COCO_TRY(require(node, YamlNode::Kind::kList, in_quotes(name.value)));
    if (node.items.empty()) return error(node.position, in_quotes(name.value) + " has no entries");
    Chain chain;
    chain.name = name;
    for (size_t i = 0; i < node.items.size(); ++i) {
      COCO_ASSIGN(Step step, read_step(node.items[i]));
      const bool from = step.kind == Step::Kind::kFrom, to = step.kind == Step::Kind::kTo;
      if (main && (from || to)) {
        return error(step.value.position, "'from' and 'to' belong to branches; the main pipeline has neither");
      }
      if (from && i > 0) return error(step.value.position, "'from' is the first entry of a branch");
      if (to && i + 1 != node.items.size()) return error(step.value.position, "'to' is the last entry of a branch");
      chain.steps.push_back(std::move(step));
    }
    if (!main && chain.steps.size() == 1) return error(node.position, "the branch ends where it starts");
    out_.chains.push_back(std::move(chain));
    return {};
  }

  Result<Step> read_step(const YamlNode& node) const {
    if (node.kind == YamlNode::Kind::kScalar) {
      return error(node.position, "write '- element: " + node.scalar.substr(0, 40) + "' (or 'caps:')");
    }
    COCO_TRY(require(node, YamlNode::Kind::kMap, "an entry of a pipeline"));
    struct Form {
      const char* key;
      Step::Kind kind;
      const std::vector<std::string>& keys;
    };
    static const Form kForms[] = {{"element", Step::Kind::kElement, kElementKeys},
                                  {"caps", Step::Kind::kCaps, kCapsKeys},
                                  {"from", Step::Kind::kFrom, kFromKeys},
                                  {"to", Step::Kind::kTo, kToKeys}};
    for (const Form& form : kForms) {
      const YamlNode* value = find(node, form.key);
      if (!value) continue;
      COCO_TRY(check_keys(node, form.keys, std::string("an entry with '") + form.key + "'"));
      Step step;
      step.kind = form.kind;
      COCO_ASSIGN(step.value, scalar(*value, form.key));
      COCO_TRY(read_details(node, step));
      return step;
    }
    static const std::vector<std::string> kAll = {"element", "caps", "from", "to", "name", "properties", "optional"};
    COCO_TRY(check_keys(node, kAll, "an entry of a pipeline"));
    return error(node.position, "this entry has none of 'element', 'caps', 'from', 'to'");
  }

  Status read_details(const YamlNode& node, Step& step) const {
    if (const YamlNode* name = find(node, "name")) {
      COCO_ASSIGN(step.name, scalar(*name, "name"));
      if (!is_word(step.name.value)) {
        return error(step.name.position,
                     in_quotes(step.name.value) + " cannot be an element's name; use letters, digits, '-' and '_'");
      }
    }
    if (const YamlNode* optional = find(node, "optional")) {
      COCO_ASSIGN(const Text text, scalar(*optional, "optional"));
      if (text.value != "true" && text.value != "false") {
        return error(text.position, "'optional' is true or false, not " + in_quotes(text.value));
      }
      step.optional = text.value == "true";
    }
    const YamlNode* properties = find(node, "properties");
    if (!properties) return {};
    COCO_TRY(require(*properties, YamlNode::Kind::kMap, "'properties'"));
    for (const auto& [key, value] : properties->entries) {
      if (key.value == "name") return error(key.position, "an element's name is 'name:' beside 'element:'");
      if (value.kind == YamlNode::Kind::kNull) return error(value.position, in_quotes(key.value) + " has no value");
      COCO_TRY(require(value, YamlNode::Kind::kScalar, "the property " + in_quotes(key.value)));
      step.properties.push_back({key, {value.scalar, value.position}});
    }
    return {};
  }

  Status check_names() const {
    std::vector<std::string> names;
    for (const Chain& chain : out_.chains) {
      for (const Step& step : chain.steps) {
        if (step.name.value.empty()) continue;
        if (std::find(names.begin(), names.end(), step.name.value) != names.end()) {
          return error(step.name.position, "a second element named " + in_quotes(step.name.value));
        }
        names.push_back(step.name.value);
      }
    }
    for (const Chain& chain : out_.chains) {
      for (const Step& step : chain.steps) {
        if (step.kind != Step::Kind::kFrom && step.kind != Step::Kind::kTo) continue;
        const std::string element = step.value.value.substr(0, step.value.value.find('.'));
        if (std::find(names.begin(), names.end(), element) != names.end()) continue;
        return error(step.value.position, "no element is named " + in_quotes(element) + did_you_mean(element, names) +
                                              "; give it one with 'name:'");
      }
    }
    return {};
  }

  ParsedPipeline out_;
};

}  // namespace

Result<ParsedPipeline> parse_pipeline(std::string_view text, const std::string& source_name) {
  COCO_ASSIGN(const YamlNode root, read_yaml(text, source_name));
  return Reader(source_name).read(root);
}

}  // namespace coco::loader
