#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/temp_dir.h"
#include "catch.h"
#include "coco/disclosure.h"

using namespace coco;
using namespace coco::vision;
using coco::testing::TempDir;
namespace fs = std::filesystem;

namespace {

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
std::string read(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("AIGC metadata: the seven fields in their order, and back") {
  const ContentOrigin origin{"Studio \"Ä\"", "clip-17"};
  const std::string text = aigc_metadata(origin);
  const auto json = nlohmann::ordered_json::parse(text);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator",
                                         "PropagateID", "ReservedCode2"});
  CHECK(json["Label"] == "1");
  const auto back = read_aigc_metadata(text);
  REQUIRE(back.has_value());
  CHECK(back->producer == origin.producer);
  CHECK(back->id == origin.id);
  for (const char* wrong :
       {"", "{}", "[]", "{\"Label\": 1}", "{\"Label\": \"9\", \"ContentProducer\": \"a\", \"ProduceID\": \"b\"}"}) {
    CHECK_FALSE(read_aigc_metadata(wrong).has_value());
  }
}

TEST_CASE("a label that is there already stays, and says who passed the content on") {
  const auto passed = aigc_passed_on(aigc_metadata({"maker", "7"}), {"station", "9"});
  REQUIRE(passed.has_value());
  const auto json = nlohmann::json::parse(*passed);
  CHECK(json["ContentProducer"] == "maker");
  CHECK(json["ProduceID"] == "7");
  CHECK(json["ContentPropagator"] == "station");
  CHECK(json["PropagateID"] == "9");
  CHECK_FALSE(aigc_passed_on("{}", {"a", "b"}).has_value());
}

TEST_CASE("the manifest names the source type, the hash and that it is not signed") {
  const auto json = nlohmann::json::parse(disclosure_manifest({"me", "1"}, "out.mp4", "abc", "2026-12-01T00:00:00Z"));
  CHECK(json["signed"] == false);
  const auto& action = json["assertions"][0]["data"]["actions"][0];
  CHECK(action["action"] == "c2pa.edited");
  CHECK(action["digitalSourceType"] ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia");
  CHECK(json["assertions"][1]["data"]["hash"] == "abc");
}

TEST_CASE("a label is waived only by a whole policy") {
  const TempDir folder;
  const std::string path = folder / "policy.json";
  CHECK(read_label_policy(path).error().code == ErrorCode::kNotFound);
  write(path, R"({"waive_visible_label": true, "responsible": "R. Roe", "reason": "film", "agreed": "2026-12-01"})");
  const auto policy = read_label_policy(path);
  REQUIRE(policy.ok());
  CHECK(policy->waive_visible_label);
  CHECK(policy->responsible == "R. Roe");
  write(path, R"({"waive_visible_label": false})");
  CHECK_FALSE(read_label_policy(path).value().waive_visible_label);
  for (const auto& [text, part] : {std::pair{"nothing", "JSON object"},
                                   {R"({"waive_visible_label": "yes"})", "not true or false"},
                                   {R"({"waive_visible_label": true, "reason": "a", "agreed": "b"})", "'responsible'"},
                                   {R"({"waive_visible_label": true, "responsible": "a", "agreed": "b"})", "'reason'"},
                                   {R"({"waive_visible_label": true, "responsible": "a", "reason": "b"})", "'agreed'"},
                                   {R"({"waive": true})", "no 'waive'"},
                                   {R"({"reason": 3})", "no text"}}) {
    write(path, text);
    const auto result = read_label_policy(path);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::kInvalidData);
    CHECK_THAT(result.error().message, ContainsSubstring(part));
    CHECK_THAT(result.error().message, ContainsSubstring("policy.json"));
  }
}

TEST_CASE("the session log grows, goes on, and shows what was changed") {
  const TempDir folder;
  const std::string path = folder / "log.jsonl";
  {
    auto log = SessionLog::open(path).value();
    CHECK(log->add("start", "source anna").ok());
    CHECK(log->add("stop", "").ok());
  }
  CHECK(SessionLog::open(path).value()->add("start", "again").ok());
  const std::string whole = read(path);
  CHECK(std::count(whole.begin(), whole.end(), '\n') == 3);
  CHECK(SessionLog::open(path).ok());
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0077) == 0);  // Nobody else's.

  std::string changed = whole;
  changed.replace(changed.find("anna"), 4, "anne");
  write(path, changed);
  const auto result = SessionLog::open(path);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidData);
  CHECK_THAT(result.error().message, ContainsSubstring("line 2"));
  write(path, whole.substr(whole.find('\n') + 1));  // The first line is gone.
  CHECK_THAT(SessionLog::open(path).error().message, ContainsSubstring("line 1"));
  write(path, whole.substr(0, whole.size() - 3));
  CHECK_THAT(SessionLog::open(path).error().message, ContainsSubstring("line 3"));
  CHECK_FALSE(SessionLog::open(folder / "nowhere/log.jsonl").ok());
}

TEST_CASE("a full disk is told, and the log stays whole") {
  if (!fs::exists("/dev/full")) return;
  auto log = SessionLog::open("/dev/full");
  REQUIRE(log.ok());
  const Status status = log.value()->add("start", "");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kResourceLimit);
  CHECK_THAT(status.error().message, ContainsSubstring("/dev/full"));
}
