// layers_check ROOT TABLE: prints what the tree holds against the table; exit code 1 when there is something.
#include <fstream>
#include <iostream>
#include <sstream>

#include "layers/layers.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: layers_check ROOT TABLE\n";
    return 2;
  }
  std::ifstream in(argv[2]);
  std::ostringstream text;
  text << in.rdbuf();
  const auto table = coco::layers::parse_table(text.str());
  if (!in || !table.ok()) {
    std::cerr << argv[2] << ": " << (table.ok() ? "cannot be read" : table.error().message) << "\n";
    return 2;
  }
  const auto messages = coco::layers::check_tree(argv[1], *table);
  for (const std::string& message : messages) std::cerr << message << "\n";
  std::cout << (messages.empty() ? "layers: clean\n"
                                 : "layers: the table of allowed edges is " + std::string(argv[2]) + "\n");
  return messages.empty() ? 0 : 1;
}
