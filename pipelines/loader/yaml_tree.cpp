#include "pipelines/loader/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "pipelines/loader/message.h"

namespace coco::loader {
namespace {

Position to_position(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

/// Ends the parse from inside one of yaml-cpp's callbacks; caught in read_yaml.
struct Refused {
  Position position;
  std::string message;
};

// yaml-cpp recurses once per level and announces each level here first, so refusing a level bounds its stack.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode take_root() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{to_position(mark), "a second YAML document; a file holds one"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(node(YamlNode::Kind::kNull, mark)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_alias(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& value) override {
    if (value.find('\0') != std::string::npos) throw Refused{to_position(mark), "a NUL character in a value"};
    YamlNode scalar = node(YamlNode::Kind::kScalar, mark);
    scalar.scalar = value;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::kList, mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::kMap, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;
    Text key;
  };

  [[noreturn]] static void refuse_alias(const YAML::Mark& mark) {
    throw Refused{to_position(mark), "anchors and aliases are not used here; write the value out"};
  }

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) throw Refused{to_position(mark), "more than " + std::to_string(kMaxNodes) + " values"};
    YamlNode made;
    made.kind = kind;
    made.position = to_position(mark);
    return made;
  }

  void open(YamlNode made) {
    if (stack_.size() >= kMaxDepth) throw Refused{made.position, "nested too deeply"};
    stack_.push_back({std::move(made), false, {}});
  }

  void close() {
    YamlNode done = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(done));
  }

  void add(YamlNode made) {
    if (stack_.empty()) {
      root_ = std::move(made);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(made));
    } else if (parent.has_key) {
      // What is missing is missing behind its key, wherever the next line begins.
      if (made.kind == YamlNode::Kind::kNull) made.position = parent.key.position;
      parent.node.entries.push_back({std::move(parent.key), std::move(made)});
      parent.has_key = false;
    } else {
      if (made.kind != YamlNode::Kind::kScalar) throw Refused{made.position, "a key must be a plain word"};
      refuse_repeated(parent.node, made);
      parent.key = {std::move(made.scalar), made.position};
      parent.has_key = true;
    }
  }

  static void refuse_repeated(const YamlNode& map, const YamlNode& key) {
    for (const auto& [other, value] : map.entries) {
      if (other.value != key.scalar) continue;
      throw Refused{key.position,
                    "the key " + in_quotes(key.scalar) + " is already in line " + std::to_string(other.position.line)};
    }
  }

  YamlNode root_;
  std::vector<Open> stack_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

Result<YamlNode> read_yaml(std::string_view text, const std::string& source_name) {
  if (text.size() > kMaxTextBytes) {
    return make_error(ErrorCode::kResourceLimit, source_name + ": larger than " + std::to_string(kMaxTextBytes / 1024) +
                                                     " KiB; this is not a file of this kind");
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    if (!builder.has_document()) return error_at(source_name, {}, "the file is empty");
    return builder.take_root();
  } catch (const Refused& refused) {
    return error_at(source_name, refused.position, refused.message);
  } catch (const YAML::Exception& exception) {
    return error_at(source_name, to_position(exception.mark),
                    "not valid YAML: " + exception.msg + "; check indentation, quotes and brackets from here up");
  } catch (const std::exception& exception) {
    return error_at(source_name, {}, std::string("not readable as YAML: ") + exception.what());
  }
}

}  // namespace coco::loader
