// Writes the seeds of the .coco fuzz target, the programs of the format tests, into a folder.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "tests/format/programs.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  using namespace coco::format;
  const std::pair<const char*, Program> seeds[] = {{"small.coco", testing::small_network()},
                                                   {"packed.coco", testing::packed_network()},
                                                   {"every_operator.coco", testing::every_operator()}};
  for (const auto& [name, program] : seeds) {
    const auto bytes = write_program(program);
    if (!bytes.ok() || !coco::write_file_atomically(folder + "/" + name, *bytes).ok()) {
      std::fprintf(stderr, "cannot write the seed %s\n", name);
      return 1;
    }
  }
  return 0;
}
