#include "tune/architecture.h"

namespace coco::tune {
namespace {

/// `depth` 3x3 layers of `width` channels between the first and the last one.
Architecture plain_stack(std::string name, int scale, int width, int depth) {
  Architecture a{std::move(name), scale, {{1, width, true}}};
  for (int i = 0; i < depth; ++i) a.layers.push_back({width, width, true});
  a.layers.push_back({width, scale * scale, false});
  return a;
}

const std::vector<Architecture>& registry() {
  static const std::vector<Architecture> all = {
      plain_stack("sr2x-s", 2, 8, 4),
  };
  return all;
}

}  // namespace

Result<Architecture> find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture& a : registry()) {
    if (a.name == name) return a;
    known += (known.empty() ? "" : ", ") + a.name;
  }
  return make_error(ErrorCode::kNotFound, "no architecture is called '" + std::string(name) + "'; known are: " + known);
}

int64_t parameter_count(const Architecture& architecture) {
  int64_t sum = 0;
  for (const LayerSpec& l : architecture.layers) sum += l.out * (l.in * 9 + 1 + (l.prelu ? 1 : 0));
  return sum;
}

int64_t macs_per_pixel(const Architecture& architecture) {
  int64_t sum = 0;
  for (const LayerSpec& l : architecture.layers) sum += l.out * l.in * 9;
  return sum;
}

}  // namespace coco::tune
