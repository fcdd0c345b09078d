// The ABI promise: nothing of what abi_0.txt lists may leave the header, and the library keeps its layout.
#include <fstream>
#include <sstream>

#include "capi/structs.h"
#include "tests/capi/support.h"

using namespace coco;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Without comments, preprocessor lines and line breaks; one space between words.
std::string plain(const std::string& header) {
  std::string code;
  for (size_t i = 0; i < header.size();) {
    if (header.compare(i, 2, "/*") == 0) {
      i = header.find("*/", i) + 2;
    } else {
      code += header[i++];
    }
  }
  std::istringstream lines(code);
  std::string words;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream in(line);
    for (std::string word; in >> word;) words += word + " ";
  }
  return words;
}

}  // namespace

TEST_CASE("the header keeps every line of its ABI", "[capi]") {
  const std::string header = plain(text_of(COCO_HEADER));
  std::istringstream lines(text_of(COCO_ABI_FILE));
  int checked = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t found = header.find(line);
    INFO("not in coco/coco.h: " << line);
    REQUIRE(found != std::string::npos);
    // Whole: `COCO_F32 = 1` is not kept by `COCO_F32 = 16`.
    const char next = header[found + line.size()];
    CHECK((next == ' ' || next == ',' || next == ';'));
    ++checked;
  }
  CHECK(checked > 80);
}

TEST_CASE("every function of the header is listed in the ABI", "[capi]") {
  const std::string header = plain(text_of(COCO_HEADER)), listed = text_of(COCO_ABI_FILE);
  const std::string mark = "COCO_API ";
  int functions = 0;
  for (size_t at = header.find(mark); at != std::string::npos; at = header.find(mark, at), ++functions) {
    at += mark.size();
    const std::string declaration = header.substr(at, header.find(';', at) - at);
    INFO("add to the ABI's list: " << declaration);
    CHECK(listed.find("\n" + declaration + "\n") != std::string::npos);
  }
  CHECK(functions >= 39);
}

TEST_CASE("structures that callers fill in have no room in which a field could hide", "[capi]") {
  // A field that grew into padding would read bytes that an older caller never set.
  CHECK(sizeof(coco_session_options) == sizeof(size_t) + 6 * sizeof(int32_t) + sizeof(char*));
  CHECK(capi::kFirstSize<coco_session_options> == sizeof(size_t) + 6 * sizeof(int32_t));
  CHECK(sizeof(coco_image_job) == sizeof(size_t) + 8 * sizeof(int32_t));
  CHECK(sizeof(coco_upscaler_config) == sizeof(size_t) + 8 * sizeof(int32_t));
  CHECK(sizeof(coco_compile_options) == sizeof(size_t) + 4 * sizeof(int32_t) + 3 * sizeof(double) + 5 * sizeof(void*));
  CHECK(sizeof(coco_compile_report) == 5 * sizeof(size_t) + 3 * sizeof(double) + 2 * sizeof(int32_t));
  CHECK(sizeof(coco_shape) == 9 * sizeof(int64_t));
  CHECK(sizeof(coco_buffer) == 2 * sizeof(void*));
}
