#include "layers/layers.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

namespace coco::layers {
namespace fs = std::filesystem;
namespace {

constexpr std::array kRoots = {"engine", "plugins", "pipelines", "apps", "tests"};
constexpr std::array kExtensions = {".h", ".hpp", ".c", ".cc", ".cpp", ".def"};
constexpr std::array kHeaderLines = {"// Purpose:", "// Ownership:", "// Threads:", "// Failure:"};
const std::string kPublicDirectory = "engine/include/coco/";

bool matches(const std::string& glob, const std::string& text) { return fnmatch(glob.c_str(), text.c_str(), 0) == 0; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// One line of the table: `kind`, what stands before the colon, what stands after it.
Status add_line(Table& table, const std::string& kind, const std::vector<std::string>& left,
                const std::vector<std::string>& right) {
  const auto wrong = [&] { return make_error(ErrorCode::kInvalidData, "malformed '" + kind + "' line"); };
  if (kind == "room" && left.size() == 2) {
    table.rooms[left[1]] = left[0];
  } else if (kind == "header" && left.size() == 2) {
    table.headers[left[0]] = left[1];
  } else if (kind == "uses" && left.size() == 1) {
    table.uses[left[0]] = {right.begin(), right.end()};
  } else if (kind == "only" && left.size() == 1 && !right.empty()) {
    table.only.push_back({left[0], right});
  } else {
    return wrong();
  }
  return {};
}

/// Checks one tree; collects messages.
class Checker {
 public:
  Checker(const fs::path& root, const Table& table) : root_(root), table_(table) {}

  std::vector<std::string> run() {
    for (const char* top : kRoots) {
      if (!fs::exists(root_ / top)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root_ / top)) {
        const std::string extension = entry.path().extension().string();
        if (entry.is_regular_file() &&
            std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end()) {
          check_file(fs::relative(entry.path(), root_).generic_string());
        }
      }
    }
    std::sort(messages_.begin(), messages_.end());
    return std::move(messages_);
  }

 private:
  void report(const std::string& file, int line, const std::string& message) {
    messages_.push_back(file + ":" + std::to_string(line) + ": " + message);
  }

  std::optional<std::string> room_of(const std::string& file) const {
    if (const auto it = table_.headers.find(file); it != table_.headers.end()) return it->second;
    std::optional<std::string> room;
    size_t longest = 0;
    for (const auto& [directory, name] : table_.rooms) {
      if (file.rfind(directory + "/", 0) == 0 && directory.size() > longest) {
        longest = directory.size();
        room = name;
      }
    }
    return room;
  }

  /// The file of the tree an include names, looked for as the build's include paths do.
  std::optional<std::string> resolve(const std::string& from, const std::string& include) const {
    const std::string beside = fs::path(from).parent_path().generic_string() + "/";
    for (const std::string& prefix :
         {beside, std::string("engine/"), std::string("engine/include/"), std::string(), std::string("tests/")}) {
      const std::string candidate = fs::path(prefix + include).lexically_normal().generic_string();
      if (fs::is_regular_file(root_ / candidate)) return candidate;
    }
    return std::nullopt;
  }

  void check_file(const std::string& file) {
    const std::string source = read_file(root_ / file);
    const bool is_public = file.rfind(kPublicDirectory, 0) == 0;
    const auto room = room_of(file);
    if (!room) {
      report(file, 1,
             is_public ? "public header without a 'header' line in the table" : "file in no room of the table");
      return;
    }
    for (const Include& include : includes_of(source)) {
      check_libraries(file, include);
      if (const auto target = resolve(file, include.text)) {
        check_edge(file, include, *room, *target);
      } else if (is_public && include.text.find('/') != std::string::npos) {
        report(file, include.line,
               "public header includes '" + include.text + "'; only coco/ and the standard library");
      }
    }
    check_form(file, source, is_public);
  }

  void check_libraries(const std::string& file, const Include& include) {
    for (const OnlyRule& rule : table_.only) {
      if (!matches(rule.include, include.text)) continue;
      const bool allowed = std::any_of(rule.where.begin(), rule.where.end(),
                                       [&](const std::string& where) { return matches(where, file); });
      if (!allowed)
        report(file, include.line, "may not include '" + include.text + "' (rule 'only " + rule.include + "')");
    }
  }

  void check_edge(const std::string& file, const Include& include, const std::string& room, const std::string& target) {
    const auto target_room = room_of(target);
    if (!target_room || *target_room == room) return;
    const auto uses = table_.uses.find(room);
    const bool to_public = target.rfind(kPublicDirectory, 0) == 0;
    const bool allowed = uses != table_.uses.end() && (uses->second.count(*target_room) ||
                                                       (to_public && uses->second.count("public:" + *target_room)));
    if (!allowed) {
      report(file, include.line,
             "room '" + room + "' may not include '" + include.text + "' of room '" + *target_room + "'");
    }
  }

  /// `#pragma once` in headers, the four lines in public ones.
  void check_form(const std::string& file, const std::string& source, bool is_public) {
    const bool repeated = file.size() > 6 && file.compare(file.size() - 6, 6, "-inl.h") == 0;
    if (fs::path(file).extension() == ".h" && !repeated && source.find("#pragma once") == std::string::npos) {
      report(file, 1, "header without '#pragma once'");
    }
    if (!is_public) return;
    std::istringstream in(source);
    size_t found = 0;
    for (std::string line; std::getline(in, line) && line.rfind("//", 0) == 0;) {
      if (found < kHeaderLines.size() && line.rfind(kHeaderLines[found], 0) == 0) ++found;
    }
    if (found < kHeaderLines.size()) {
      report(file, 1, std::string("public header must begin with the line '") + kHeaderLines[found] + " ...'");
    }
  }

  fs::path root_;
  const Table& table_;
  std::vector<std::string> messages_;
};

}  // namespace

Result<Table> parse_table(const std::string& text) {
  Table table;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (words_of(line).empty()) continue;
    // "public:room" holds a colon too; the separating one is followed by a space or the line's end.
    size_t colon = line.find(':');
    if (colon == std::string::npos) colon = line.size();
    std::vector<std::string> left = words_of(line.substr(0, colon));
    const std::vector<std::string> right = words_of(colon < line.size() ? line.substr(colon + 1) : "");
    if (left.empty()) left.emplace_back();
    const std::string kind = left.front();
    left.erase(left.begin());
    if (Status status = add_line(table, kind, left, right); !status.ok()) {
      return make_error(ErrorCode::kInvalidData, "line " + std::to_string(number) + ": " + status.error().message);
    }
  }
  return table;
}

std::vector<Include> includes_of(const std::string& source) {
  std::vector<Include> includes;
  std::istringstream in(source);
  bool in_comment = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!in_comment) {
      const size_t hash = line.find_first_not_of(" \t");
      if (hash != std::string::npos && line[hash] == '#') {
        const size_t word = line.find_first_not_of(" \t", hash + 1);
        if (word != std::string::npos && line.compare(word, 7, "include") == 0) {
          const size_t open = line.find_first_of("<\"", word + 7);
          const size_t close = open == std::string::npos ? open : line.find_first_of(">\"", open + 1);
          if (close != std::string::npos) includes.push_back({line.substr(open + 1, close - open - 1), number});
        }
      }
    }
    for (size_t at = 0; at < line.size();) {
      if (in_comment) {
        at = line.find("*/", at);
        if (at == std::string::npos) break;
        in_comment = false;
        at += 2;
      } else {
        const size_t block = line.find("/*", at);
        if (block == std::string::npos || line.find("//", at) < block || line.find('"', at) < block) break;
        in_comment = true;
        at = block + 2;
      }
    }
  }
  return includes;
}

std::vector<std::string> check_tree(const fs::path& root, const Table& table) { return Checker(root, table).run(); }

}  // namespace coco::layers
