// Runs a fuzz target without libFuzzer: on each file given (folders: each file in them), then on mutations of those
// files, the same ones for the same seed.
//   fuzz_replay_NAME [--iterations N] [--seed S] FILE_OR_FOLDER...
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;

constexpr size_t kMaxInput = size_t{1} << 20;

void run(const Bytes& bytes) {
  // A block of exactly this size, so that a sanitizer sees a read past its end.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), bytes.size());
}

bool add_file(const fs::path& path, std::vector<Bytes>& corpus) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read '%s'\n", path.c_str());
    return false;
  }
  corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return true;
}

bool add_path(const fs::path& path, std::vector<Bytes>& corpus) {
  if (!fs::is_directory(path)) return add_file(path, corpus);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());  // the order of a folder is not the same everywhere
  return std::all_of(files.begin(), files.end(), [&](const fs::path& file) { return add_file(file, corpus); });
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  Bytes mutate(const std::vector<Bytes>& corpus) {
    Bytes bytes = corpus[below(corpus.size())];
    for (size_t edits = 1 + below(4); edits > 0; --edits) edit(bytes, corpus);
    if (bytes.size() > kMaxInput) bytes.resize(kMaxInput);
    return bytes;
  }

 private:
  size_t below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void edit(Bytes& bytes, const std::vector<Bytes>& corpus) {
    const size_t at = below(bytes.size() + 1);
    const auto place = bytes.begin() + static_cast<ptrdiff_t>(at);
    const size_t left = bytes.size() - at;
    switch (below(7)) {
      case 0:  // one bit
        if (left > 0) bytes[at] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 1:  // one byte
        if (left > 0) bytes[at] = static_cast<uint8_t>(random_());
        break;
      case 2: {  // a number at an edge of its range
        static constexpr uint64_t kEdges[] = {0,
                                              1,
                                              0x7f,
                                              0x80,
                                              0xff,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              0x7fffffffffffffff,
                                              0x8000000000000000,
                                              0xffffffffffffffff};
        const uint64_t number = kEdges[below(std::size(kEdges))];
        if (left > 0) std::memcpy(bytes.data() + at, &number, std::min(left, size_t{1} << below(4)));
        break;
      }
      case 3:  // cut the end
        bytes.resize(at);
        break;
      case 4:  // take a piece out
        bytes.erase(place, place + static_cast<ptrdiff_t>(below(std::min<size_t>(left, 64) + 1)));
        break;
      case 5: {  // repeat a piece
        const Bytes piece(place, place + static_cast<ptrdiff_t>(std::min<size_t>(left, 1 + below(32))));
        bytes.insert(place, piece.begin(), piece.end());
        break;
      }
      default: {  // a piece of another input
        const Bytes& other = corpus[below(corpus.size())];
        const size_t from = below(other.size() + 1);
        const size_t count = std::min({left, other.size() - from, 1 + below(64)});
        std::copy_n(other.begin() + static_cast<ptrdiff_t>(from), count, place);
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace

int main(int argc, char** argv) {
  unsigned long iterations = 0, seed = 1;
  std::vector<Bytes> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool number = i + 1 < argc && (argument == "--iterations" || argument == "--seed");
    if (number) {
      (argument == "--seed" ? seed : iterations) = std::strtoul(argv[++i], nullptr, 10);
    } else if (!add_path(argument, corpus)) {
      return 1;
    }
  }
  const size_t files = corpus.size();
  corpus.emplace_back();  // the empty input
  for (const Bytes& bytes : corpus) run(bytes);
  Mutator mutator(static_cast<uint32_t>(seed));
  for (unsigned long i = 0; i < iterations; ++i) run(mutator.mutate(corpus));
  std::printf("%zu files and %lu mutations from seed %lu: no crash\n", files, iterations, seed);
  return 0;
}
