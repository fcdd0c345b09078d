// The pipeline loader's reader: any text gives an error with a place in the file, or a description whose variables can
// be filled in.
#include <cstdlib>
#include <string_view>

#include "pipelines/loader/loader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coco::loader;
  const auto parsed = parse_pipeline({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!parsed.ok()) {
    if (parsed.error().message.rfind("fuzz:", 0) != 0) std::abort();
    return 0;
  }
  if (parsed->chains.empty() || parsed->chains.front().steps.empty()) std::abort();
  Settings settings;
  for (const Variable& variable : parsed->variables) {
    if (!variable.has_default) settings[variable.name.value] = "x";
  }
  const auto filled = substitute(*parsed, settings);
  if (!filled.ok() && filled.error().message.empty()) std::abort();
  return 0;
}
