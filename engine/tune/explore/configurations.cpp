#include "tune/explore/configurations.h"

#include <limits>
#include <set>

namespace coco::tune {

uint64_t count_configurations(const std::vector<int>& choices) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  uint64_t count = 1;
  for (const int c : choices) {
    const auto n = static_cast<uint64_t>(c);
    if (count > kMost / n) return kMost;
    count *= n;
  }
  return count;
}

std::vector<Configuration> make_configurations(const std::vector<int>& choices, size_t limit, Random& random) {
  const uint64_t count = count_configurations(choices);
  std::set<Configuration> all;
  if (count <= limit) {
    for (uint64_t i = 0; i < count; ++i) {
      Configuration c(choices.size());
      uint64_t rest = i;
      for (size_t m = choices.size(); m-- > 0; rest /= static_cast<uint64_t>(choices[m])) {
        c[m] = static_cast<int>(rest % static_cast<uint64_t>(choices[m]));
      }
      all.insert(std::move(c));
    }
  }
  while (count > limit && all.size() < limit) {
    Configuration c;
    for (const int n : choices) c.push_back(static_cast<int>(random.below(static_cast<uint32_t>(n))));
    all.insert(std::move(c));
  }
  return {all.begin(), all.end()};
}

}  // namespace coco::tune
