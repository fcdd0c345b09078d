// Purpose: YAML text as a small tree with positions. The only place that includes yaml-cpp is its source file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coco/status.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// Bounds on what is read; a file beyond them is refused.
inline constexpr size_t kMaxTextBytes = 256 * 1024;
inline constexpr size_t kMaxNodes = 16 * 1024;
inline constexpr size_t kMaxDepth = 16;

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Position position;
  std::string scalar;
  std::vector<YamlNode> items;     ///< kList
  std::vector<YamlEntry> entries;  ///< kMap, keys unique, in the file's order
};

struct YamlEntry {
  Text key;
  YamlNode value;
};

/// One document, without anchors, aliases or repeated keys.
Result<YamlNode> read_yaml(std::string_view text, const std::string& source_name);

}  // namespace coco::loader
