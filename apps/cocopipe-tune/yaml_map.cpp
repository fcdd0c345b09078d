#include "apps/cocopipe-tune/yaml_map.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/mapped_file.h"
#include "pipelines/loader/message.h"

namespace coco::jobs {

using loader::in_quotes;
using loader::Position;
using loader::YamlNode;

namespace {

void place(YamlNode& node, const Position& position) {
  node.position = position;
  for (YamlNode& item : node.items) place(item, position);
  for (loader::YamlEntry& entry : node.entries) {
    entry.key.position = position;
    place(entry.value, position);
  }
}

/// The value of `key`, made when missing; a value that is no mapping becomes one.
YamlNode& descend(YamlNode& node, const std::string& key, const Position& position) {
  if (node.kind != YamlNode::Kind::kMap) node = YamlNode{YamlNode::Kind::kMap, position, {}, {}, {}};
  for (loader::YamlEntry& entry : node.entries) {
    if (entry.key.value == key) return entry.value;
  }
  node.entries.push_back({{key, position}, YamlNode{YamlNode::Kind::kNull, position, {}, {}, {}}});
  return node.entries.back().value;
}

Status apply(JobTree& tree, size_t index) {
  const std::string& setting = tree.source.settings[index];
  const Position position{0, static_cast<int>(index)};
  const size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    return error_in(tree.source, position, "give KEY=VALUE, with dots between the keys: schedule.iterations=2000");
  }
  YamlNode* node = &tree.root;
  std::string keys = setting.substr(0, equals);
  for (size_t dot; (dot = keys.find('.')) != std::string::npos; keys.erase(0, dot + 1)) {
    node = &descend(*node, keys.substr(0, dot), position);
  }
  auto value = loader::read_yaml(setting.substr(equals + 1), "value");
  if (!value.ok()) return error_in(tree.source, position, value.error().message);
  place(*value, position);
  descend(*node, keys, position) = std::move(value).value();
  return {};
}

/// The whole text as a number of that type.
template <typename T>
std::optional<T> parse(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

Error error_in(const JobSource& source, const Position& position, const std::string& message) {
  if (position.line > 0) return loader::error_at(source.file, position, message);
  return make_error(ErrorCode::kInvalidArgument,
                    "--set " + source.settings[static_cast<size_t>(position.column)] + ": " + message);
}

Result<JobTree> parse_job_tree(std::string_view text, const std::string& name,
                               const std::vector<std::string>& settings) {
  JobTree tree{{name, settings}, {}};
  COCO_ASSIGN(tree.root, loader::read_yaml(text, name));
  for (size_t i = 0; i < settings.size(); ++i) COCO_TRY(apply(tree, i));
  return tree;
}

Result<JobTree> read_job_tree(const std::string& path, const std::vector<std::string>& settings) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, loader::kMaxTextBytes));
  const auto bytes = file->bytes();
  return parse_job_tree({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, settings);
}

MapReader::MapReader(const JobSource& source, const YamlNode& node, std::string what)
    : source_(source), node_(node), what_(std::move(what)) {
  if (node.kind != YamlNode::Kind::kMap) fail(node.position, what_ + " must be a mapping (key: value)");
}

void MapReader::fail(const Position& position, const std::string& message) {
  if (!error_) error_ = error_in(source_, position, message);
}

void MapReader::adopt(Error error) {
  if (!error_) error_ = std::move(error);
}

const YamlNode* MapReader::find(const char* key) {
  known_.emplace_back(key);
  for (const loader::YamlEntry& entry : node_.entries) {
    if (entry.key.value == key && entry.value.kind != YamlNode::Kind::kNull) return &entry.value;
  }
  return nullptr;
}

const YamlNode* MapReader::of_kind(const char* key, YamlNode::Kind kind, const char* kind_name) {
  const YamlNode* node = find(key);
  if (node == nullptr || node->kind == kind) return node;
  fail(node->position, in_quotes(key) + " must be " + kind_name);
  return nullptr;
}

const YamlNode* MapReader::map(const char* key) { return of_kind(key, YamlNode::Kind::kMap, "a mapping (key: value)"); }
const YamlNode* MapReader::list(const char* key) { return of_kind(key, YamlNode::Kind::kList, "a list"); }
const YamlNode* MapReader::scalar(const char* key) { return of_kind(key, YamlNode::Kind::kScalar, "a single value"); }

void MapReader::whole(const char* key, int64_t& value, int64_t low, int64_t high) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return;
  const auto parsed = parse<int64_t>(node->scalar);
  if (!parsed || *parsed < low || *parsed > high) {
    fail(node->position, in_quotes(key) + " must be a whole number from " + std::to_string(low) + " to " +
                             std::to_string(high) + ", not " + in_quotes(node->scalar));
  } else {
    value = *parsed;
  }
}

void MapReader::whole(const char* key, int& value, int low, int high) {
  int64_t wide = value;
  whole(key, wide, low, high);
  value = static_cast<int>(wide);
}

std::optional<double> MapReader::to_number(const YamlNode& node, const char* key, double low, double high) {
  const auto parsed = node.kind == YamlNode::Kind::kScalar ? parse<double>(node.scalar) : std::nullopt;
  if (parsed && *parsed >= low && *parsed <= high) return parsed;
  fail(node.position, in_quotes(key) + " must be a number from " + short_number(low) + " to " + short_number(high) +
                          (node.kind == YamlNode::Kind::kScalar ? ", not " + in_quotes(node.scalar) : ""));
  return std::nullopt;
}

void MapReader::number(const char* key, double& value, double low, double high) {
  if (const YamlNode* node = find(key)) value = to_number(*node, key, low, high).value_or(value);
}

void MapReader::numbers(const char* key, std::vector<double>& value, double low, double high) {
  const YamlNode* node = list(key);
  if (node == nullptr) return;
  value.clear();
  for (const YamlNode& item : node->items) value.push_back(to_number(item, key, low, high).value_or(low));
}

void MapReader::flag(const char* key, bool& value) { choice(key, value, {{"true", true}, {"false", false}}); }

void MapReader::text(const char* key, std::string& value) {
  if (const YamlNode* node = scalar(key)) value = node->scalar;
}

void MapReader::texts(const char* key, std::vector<std::string>& value) {
  const YamlNode* node = find(key);
  if (node == nullptr) return;
  value.clear();
  if (node->kind == YamlNode::Kind::kScalar) value.push_back(node->scalar);
  for (const YamlNode& item : node->items) {
    if (item.kind == YamlNode::Kind::kScalar) value.push_back(item.scalar);
  }
  if (value.empty() || (node->kind == YamlNode::Kind::kList && value.size() != node->items.size())) {
    fail(node->position, in_quotes(key) + " must be a text or a list of texts");
  }
}

std::optional<size_t> MapReader::choose(const char* key, const std::vector<std::string>& names) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), node->scalar);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  fail(node->position, in_quotes(key) + " cannot be " + in_quotes(node->scalar) +
                           loader::did_you_mean(node->scalar, names) + "; it can be: " + loader::join(names));
  return std::nullopt;
}

Status MapReader::finish() {
  for (const loader::YamlEntry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key.value) != known_.end()) continue;
    fail(entry.key.position, "unknown key " + in_quotes(entry.key.value) + " in " + what_ +
                                 loader::did_you_mean(entry.key.value, known_) +
                                 "; known here: " + loader::join(known_));
    break;
  }
  if (error_) return *error_;
  return {};
}

}  // namespace coco::jobs
