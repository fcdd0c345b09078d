// Writes the standard networks: make_networks DIR leaves DIR/NAME.onnx and prints a line for each: its name and the
// dimensions of its input.
#include <cstdio>
#include <fstream>

#include "bench/networks.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "make_networks: give the folder to write to\n");
    return 2;
  }
  for (const coco::bench::Network& network : coco::bench::standard_networks()) {
    const std::string path = std::string(argv[1]) + "/" + network.name + ".onnx";
    std::ofstream file(path, std::ios::binary);
    file.write(network.onnx.data(), static_cast<std::streamsize>(network.onnx.size()));
    if (!file.flush()) {
      std::fprintf(stderr, "make_networks: cannot write '%s'\n", path.c_str());
      return 1;
    }
    std::printf("%s ", network.name.c_str());
    for (size_t i = 0; i < network.input.size(); ++i) {
      std::printf("%s%lld", i > 0 ? "," : "", static_cast<long long>(network.input[i]));
    }
    std::printf("\n");
  }
  return 0;
}
