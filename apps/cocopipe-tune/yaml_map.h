// Purpose: reads a mapping of a job file key by key and says what does not fit: file, line, column, and the keys there
// are. Settings of the command line (--set) are put into the tree first and named as such in messages.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coco/status.h"
#include "pipelines/loader/yaml_tree.h"

namespace coco::jobs {

/// Where a tree came from. Values of settings have line 0 and the setting's number as their column.
struct JobSource {
  std::string file;
  std::vector<std::string> settings;  ///< "schedule.iterations=2000"
};

struct JobTree {
  JobSource source;
  loader::YamlNode root;
};

/// Reads the file and puts the settings in; a setting's value is YAML itself ("[0.5, 0.7]").
Result<JobTree> read_job_tree(const std::string& path, const std::vector<std::string>& settings);
/// The same from text.
Result<JobTree> parse_job_tree(std::string_view text, const std::string& name,
                               const std::vector<std::string>& settings);

/// "file:line:column: message", or the setting instead of the place.
Error error_in(const JobSource& source, const loader::Position& position, const std::string& message);

/// Values that are absent stay as they are. The first value that does not fit is kept and returned by finish().
class MapReader {
 public:
  /// `what` names the mapping in messages: "the job", "'schedule'". Both are borrowed.
  MapReader(const JobSource& source, const loader::YamlNode& node, std::string what);

  void whole(const char* key, int64_t& value, int64_t low, int64_t high);
  void whole(const char* key, int& value, int low, int high);
  void number(const char* key, double& value, double low, double high);
  void flag(const char* key, bool& value);
  void text(const char* key, std::string& value);
  void texts(const char* key, std::vector<std::string>& value);  ///< a list, or one
  void numbers(const char* key, std::vector<double>& value, double low, double high);

  template <typename T>
  void choice(const char* key, T& value, std::initializer_list<std::pair<const char*, T>> choices) {
    std::vector<std::string> names;
    for (const auto& [name, choice] : choices) names.push_back(name);
    const std::optional<size_t> chosen = choose(key, names);
    if (chosen) value = (choices.begin() + *chosen)->second;
  }

  /// The value as it stands, null when absent; the key counts as known.
  const loader::YamlNode* find(const char* key);
  /// As find, where the value must be a mapping or a list.
  const loader::YamlNode* map(const char* key);
  const loader::YamlNode* list(const char* key);

  void fail(const loader::Position& position, const std::string& message);
  /// Takes over the error of a mapping inside this one.
  void adopt(Error error);
  bool failed() const { return error_.has_value(); }
  const loader::Position& position() const { return node_.position; }

  /// The first error, or that of a key nobody asked for.
  Status finish();

 private:
  const loader::YamlNode* scalar(const char* key);
  const loader::YamlNode* of_kind(const char* key, loader::YamlNode::Kind kind, const char* kind_name);
  std::optional<size_t> choose(const char* key, const std::vector<std::string>& names);
  std::optional<double> to_number(const loader::YamlNode& node, const char* key, double low, double high);

  const JobSource& source_;
  const loader::YamlNode& node_;
  std::string what_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace coco::jobs
