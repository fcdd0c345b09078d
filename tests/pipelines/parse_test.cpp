#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "catch.h"
#include "pipelines/loader/keys.h"
#include "pipelines/loader/loader.h"
#include "pipelines/loader/message.h"
#include "pipelines/loader/yaml_tree.h"

namespace coco::loader {
namespace {

const char kGood[] = R"(description: two ways
variables:
  input: {help: a file}
  width: 3840
pipeline:
  - element: filesrc
    properties: {location: "${input}"}
  - element: decodebin
    name: decoder
  - caps: video/x-raw,width=${width}
  - element: matroskamux
    name: muxer
  - element: filesink
    properties:
      location: $$x-${width}.mkv
branches:
  audio:
    - from: decoder
      optional: true
    - element: queue
    - to: muxer.audio_0
)";

std::string source_dir() {
  const char* dir = std::getenv("COCO_SOURCE_DIR");
  return dir ? dir : ".";
}

TEST_CASE("a pipeline file is read with its structure and positions") {
  const auto parsed = parse_pipeline(kGood, "p.yaml");
  REQUIRE(parsed.ok());
  CHECK(parsed->description == "two ways");
  REQUIRE(parsed->variables.size() == 2);
  CHECK_FALSE(parsed->variables[0].has_default);
  CHECK(parsed->variables[0].help == "a file");
  CHECK(parsed->variables[1].default_value.value == "3840");
  REQUIRE(parsed->chains.size() == 2);
  const Chain& main = parsed->chains[0];
  REQUIRE(main.steps.size() == 5);
  CHECK(main.steps[0].value.value == "filesrc");
  CHECK(main.steps[0].value.position.line == 6);
  CHECK(main.steps[0].value.position.column == 14);
  CHECK(main.steps[2].kind == Step::Kind::kCaps);
  const Chain& audio = parsed->chains[1];
  CHECK(audio.name.value == "audio");
  CHECK(audio.steps.front().kind == Step::Kind::kFrom);
  CHECK(audio.steps.front().optional);
  CHECK(audio.steps.back().value.value == "muxer.audio_0");
}

TEST_CASE("variables take their setting, then their default") {
  const auto parsed = parse_pipeline(kGood, "p.yaml");
  REQUIRE(parsed.ok());
  Settings settings;
  REQUIRE(add_setting("input=a=b.mp4", settings).ok());
  const auto filled = substitute(*parsed, settings);
  REQUIRE(filled.ok());
  CHECK(filled->chains[0].steps[0].properties[0].value.value == "a=b.mp4");
  CHECK(filled->chains[0].steps[2].value.value == "video/x-raw,width=3840");
  CHECK(filled->chains[0].steps[4].properties[0].value.value == "$x-3840.mkv");

  CHECK_FALSE(add_setting("input", settings).ok());
  CHECK_FALSE(add_setting("=x", settings).ok());
  const auto missing = substitute(*parsed, {});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message ==
        "p.yaml:3:3: the variable 'input' has no value (a file); give one with --set input=...");
  const auto unknown = substitute(*parsed, {{"input", "x"}, {"widht", "1"}});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message.find("did you mean 'width'?") != std::string::npos);
}

TEST_CASE("a value is not read again after substitution") {
  const auto parsed = parse_pipeline("variables: {a: x}\npipeline: [{element: '${a}'}]", "p.yaml");
  REQUIRE(parsed.ok());
  const auto filled = substitute(*parsed, {{"a", "${a}]: - ${b"}});
  REQUIRE(filled.ok());
  CHECK(filled->chains[0].steps[0].value.value == "${a}]: - ${b");
}

struct Wrong {
  const char* text;
  const char* message;  ///< as it starts, after "p.yaml:"
};

TEST_CASE("what is wrong is named with its line and column") {
  const Wrong wrong = GENERATE(values<Wrong>({
      {"", "1:1: the file is empty"},
      {"# only a comment\n", "1:1: the file is empty"},
      {"just words", "1:1: a pipeline file must be a mapping, here is a single value"},
      {"pipeline:\n  - element: a\npipelin: x\n", "3:1: unknown key 'pipelin' in the file (did you mean 'pipeline'?)"},
      {"description: x\n", "1:1: no 'pipeline:' list"},
      {"pipeline:\n", "1:1: 'pipeline' must be a list, here is nothing"},
      {"pipeline: []\n", "1:11: 'pipeline' has no entries"},
      {"pipeline:\n  - queue\n", "2:5: write '- element: queue'"},
      {"pipeline:\n  - elemnt: queue\n",
       "2:5: unknown key 'elemnt' in an entry of a pipeline (did you mean 'element'?)"},
      {"pipeline:\n  - name: queue\n", "2:5: this entry has none of"},
      {"pipeline:\n  - element: queue\n    propertys: {}\n", "3:5: unknown key 'propertys'"},
      {"pipeline:\n  - element: queue\n    properties: {a: [1]}\n", "3:21: the property 'a' must be a single value"},
      {"pipeline:\n  - element: queue\n    properties: {a: }\n", "3:18: 'a' has no value"},
      {"pipeline:\n  - element: queue\n    properties: {name: q}\n", "3:18: an element's name is 'name:'"},
      {"pipeline:\n  - element: queue\n    name: a.b\n", "3:11: 'a.b' cannot be an element's name"},
      {"pipeline:\n  - {element: a, name: x}\n  - {element: a, name: x}\n", "3:24: a second element named 'x'"},
      {"pipeline:\n  - element: a\n    element: b\n", "3:5: the key 'element' is already in line 2"},
      {"pipeline:\n  - from: a\n", "2:11: 'from' and 'to' belong to branches"},
      {"pipeline: [{element: a, name: t}]\nbranches:\n  x: [{element: b}, {from: t}]\n",
       "3:28: 'from' is the first entry of a branch"},
      {"pipeline: [{element: a, name: tee}]\nbranches:\n  x: [{from: tea}, {element: b}]\n",
       "3:14: no element is named 'tea' (did you mean 'tee'?)"},
      {"pipeline: [{element: a, name: t}]\nbranches:\n  x: [{from: t}, {to: t}, {element: b}]\n",
       "3:23: 'to' is the last entry of a branch"},
      {"pipeline: [{element: a, name: t}]\nbranches:\n  x: [{from: t}]\n", "3:6: the branch ends where it starts"},
      {"pipeline: [{element: a, name: t}]\nbranches:\n  x: [{from: t, optional: maybe}, {element: b}]\n",
       "3:27: 'optional' is true or false"},
      {"pipeline: [{element: '${x}'}]\n", "1:22: the variable 'x' is not declared"},
      {"pipeline: [{element: '${x'}]\n", "1:22: '${' without '}'"},
      {"variables: {x: 1}\npipeline: [{element: a}]\n", "1:13: the variable 'x' is never used"},
      {"pipeline: [{element: a}\n", "2:1: not valid YAML"},
      {"a: &x 1\npipeline: [{element: *x}]\n", "1:4: anchors and aliases are not used"},
      {"pipeline: [{element: a}]\n---\nb: c\n", "2:1: a second YAML document"},
      {"pipeline: [{element: \"a\\0b\"}]\n", "1:22: a NUL character"},
      {"[[[[[[[[[[[[[[[[[[[[", "1:"},
  }));
  INFO(wrong.text);
  const auto parsed = parse_pipeline(wrong.text, "p.yaml");
  REQUIRE_FALSE(parsed.ok());
  INFO(parsed.error().message);
  CHECK(parsed.error().message.rfind(std::string("p.yaml:") + wrong.message, 0) == 0);
}

TEST_CASE("hostile text is refused cheaply") {
  std::string deep;
  for (int i = 0; i < 50000; ++i) deep += "[";
  CHECK_FALSE(parse_pipeline(deep, "p").ok());
  deep.clear();
  for (int i = 0; i < 50000; ++i) deep += "- ";
  CHECK_FALSE(parse_pipeline(deep, "p").ok());
  deep.clear();
  for (int i = 0; i < 50000; ++i) deep += "? ";
  CHECK_FALSE(parse_pipeline(deep, "p").ok());
  CHECK_FALSE(parse_pipeline(std::string(kMaxTextBytes + 1, 'a'), "p").ok());
  std::string many = "pipeline:\n";
  while (many.size() + 8 < kMaxTextBytes) many += " - a: b\n";
  CHECK_FALSE(parse_pipeline(many, "p").ok());
}

TEST_CASE("the schema for editors names the same keys") {
  std::ifstream stream(source_dir() + "/pipelines/schema/pipeline.schema.json");
  REQUIRE(stream.good());
  const nlohmann::json schema = nlohmann::json::parse(stream);
  const auto same = [](const nlohmann::json& object, std::vector<std::string> keys) {
    std::vector<std::string> named;
    for (const auto& [key, value] : object.at("properties").items()) named.push_back(key);
    std::sort(keys.begin(), keys.end());
    CHECK(named == keys);
    CHECK(object.at("additionalProperties") == false);
  };
  same(schema, kRootKeys);
  same(schema["definitions"]["variable"], kVariableKeys);
  same(schema["definitions"]["element"], kElementKeys);
  same(schema["definitions"]["caps"], kCapsKeys);
  same(schema["definitions"]["from"], kFromKeys);
  same(schema["definitions"]["to"], kToKeys);
}

}  // namespace
}  // namespace coco::loader
