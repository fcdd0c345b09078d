#include "layers/layers.h"

#include <unistd.h>

#include <fstream>

#include "catch.h"

namespace fs = std::filesystem;
using coco::layers::check_tree;
using coco::layers::includes_of;
using coco::layers::parse_table;

namespace {

const char* const kTable = R"(
room base     engine/base
room kernels  engine/kernels
room plugins  plugins
header engine/include/coco/status.h base
header engine/include/coco/session.h kernels
uses base:
uses kernels: base
uses plugins: public:base
only hwy/* : engine/kernels/*_hwy*
)";

const char* const kFourLines = "// Purpose: a.\n// Ownership: b.\n// Threads: c.\n// Failure: d.\n#pragma once\n";

/// A tree of source files in a directory of its own, gone at the end.
class Tree {
 public:
  Tree() : root_(fs::temp_directory_path() / ("coco_layers_" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    add("engine/include/coco/status.h", kFourLines);
    add("engine/include/coco/session.h", kFourLines);
    add("engine/base/pool.h", "#pragma once\n#include \"coco/status.h\"\n");
    add("engine/kernels/conv_hwy.cpp", "#include <hwy/highway.h>\n#include \"base/pool.h\"\n#include <vector>\n");
    add("plugins/element.cpp", "#include \"coco/status.h\"\n");
  }
  ~Tree() { fs::remove_all(root_); }
  void add(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::vector<std::string> check() const { return check_tree(root_, *parse_table(kTable)); }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("a tree that keeps the table is clean") { CHECK(Tree().check().empty()); }

TEST_CASE("planted violations are found, each with its place") {
  Tree tree;
  std::string expected;
  SECTION("an edge against the direction") {
    tree.add("engine/base/bad.cpp", "#include <string>\n#include \"kernels/conv.h\"\n");
    tree.add("engine/kernels/conv.h", "#pragma once\n");
    expected = "engine/base/bad.cpp:2: room 'base' may not include 'kernels/conv.h' of room 'kernels'";
  }
  SECTION("a public header of a room that is not used") {
    tree.add("engine/base/bad.cpp", "#include <coco/session.h>\n");
    expected = "engine/base/bad.cpp:1: room 'base' may not include 'coco/session.h' of room 'kernels'";
  }
  SECTION("the inside of a room of which only the public headers are open") {
    tree.add("plugins/bad.cpp", "#include \"base/pool.h\"\n");
    expected = "plugins/bad.cpp:1: room 'plugins' may not include 'base/pool.h' of room 'base'";
  }
  SECTION("a relative path does not hide the edge") {
    tree.add("engine/kernels/conv.h", "#pragma once\n");
    tree.add("engine/base/bad.h", "#pragma once\n  #  include \"../kernels/conv.h\"\n");
    expected = "engine/base/bad.h:2: room 'base' may not include '../kernels/conv.h' of room 'kernels'";
  }
  SECTION("a library outside its files") {
    tree.add("engine/kernels/conv_ref.cpp", "#include <hwy/highway.h>\n");
    expected = "engine/kernels/conv_ref.cpp:1: may not include 'hwy/highway.h' (rule 'only hwy/*')";
  }
  SECTION("a file in no room") {
    tree.add("engine/attic/a.cpp", "");
    expected = "engine/attic/a.cpp:1: file in no room of the table";
  }
  SECTION("a public header without its four lines") {
    tree.add("engine/include/coco/status.h", "// Purpose: a.\n// Ownership: b.\n// Failure: d.\n#pragma once\n");
    expected = "engine/include/coco/status.h:1: public header must begin with the line '// Threads: ...'";
  }
  SECTION("a header without a guard") {
    tree.add("engine/base/bad.h", "int f();\n");
    expected = "engine/base/bad.h:1: header without '#pragma once'";
  }
  const auto messages = tree.check();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0] == expected);
}

TEST_CASE("includes are read as a compiler would") {
  const auto includes = includes_of(
      "#include <a.h>\n  #  include \"b/c.h\" // why\n/* #include <no.h>\n#include <no.h> */\n// #include <no.h>\n"
      "/* x */\n#include <d.h>\nconst char* s = \"/*\";\n#include <e.h>\n#includes\n");
  REQUIRE(includes.size() == 4);
  CHECK(includes[0].text == "a.h");
  CHECK(includes[1].text == "b/c.h");
  CHECK(includes[1].line == 2);
  CHECK(includes[2].text == "d.h");
  CHECK(includes[3].text == "e.h");
}

TEST_CASE("a malformed table names its line") {
  const auto table = parse_table("room base engine/base\nuses\n");
  REQUIRE(!table.ok());
  CHECK(table.error().message == "line 2: malformed 'uses' line");
  CHECK(!parse_table("frobnicate a b\n").ok());
}
