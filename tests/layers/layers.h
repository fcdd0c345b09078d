// Purpose: reads the table of include edges and checks the tree against it.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::layers {

struct OnlyRule {
  std::string include;             ///< glob over the text inside #include's brackets or quotes
  std::vector<std::string> where;  ///< globs over paths from the root
};

struct Table {
  std::map<std::string, std::string> rooms;           ///< directory -> room
  std::map<std::string, std::string> headers;         ///< public header -> room
  std::map<std::string, std::set<std::string>> uses;  ///< room -> rooms, "public:room"
  std::vector<OnlyRule> only;
};

/// Parses the table's text; an error names the line.
Result<Table> parse_table(const std::string& text);

/// An #include line: the text between the brackets or quotes, and its line number.
struct Include {
  std::string text;
  int line = 0;
};
/// The includes of a C or C++ source, those in block comments left out.
std::vector<Include> includes_of(const std::string& source);

/// Everything wrong in the tree below `root`, one "path:line: message" each, sorted. Looks at engine, plugins,
/// pipelines, apps and tests.
std::vector<std::string> check_tree(const std::filesystem::path& root, const Table& table);

}  // namespace coco::layers
