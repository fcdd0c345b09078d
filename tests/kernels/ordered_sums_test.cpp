#include "kernels/conv/ordered_sums.h"

#include <memory>
#include <random>
#include <vector>

#include "catch.h"
#include "tests/kernels/resample_support.h"

using namespace coco::kernels;

namespace {

struct Sums {
  std::vector<std::unique_ptr<float[]>> inputs;
  std::vector<OrderedTap> taps;
};

/// Taps of `columns` outputs that reach all of them but up to `reach` at either end; their x hold exactly what they may
/// read, so that a sanitizer sees what reads further.
Sums make_sums(int columns, int count, int reach, std::mt19937& random) {
  Sums sums;
  std::normal_distribution<float> value;
  for (int t = 0; t < count; ++t) {
    const int begin = std::min<int>(static_cast<int>(random() % (reach + 1)), columns);
    const int end = std::max(begin, columns - static_cast<int>(random() % (reach + 1)));
    auto x = std::make_unique<float[]>(static_cast<size_t>(end - begin));
    for (int j = 0; j < end - begin; ++j) x[static_cast<size_t>(j)] = value(random);
    sums.taps.push_back({x.get() - begin, value(random), begin, end});
    sums.inputs.push_back(std::move(x));
  }
  return sums;
}

}  // namespace

TEST_CASE("sums in order have the reference's bits on every target") {
  std::mt19937 random(5);
  for (const int columns : {1, 2, 3, 5, 8, 17, 31, 64, 67, 130, 321}) {
    for (const int count : {0, 1, 9, 75}) {
      for (const int reach : {0, 1, 4, 200}) {
        CAPTURE(columns, count, reach);
        const Sums sums = make_sums(columns, count, reach, random);
        std::vector<float> expected(static_cast<size_t>(columns)), got(expected);
        ordered_sums_ref(sums.taps, 0.3f, expected.data(), columns);
        for_each_target([&] {
          std::fill(got.begin(), got.end(), -7.f);
          ordered_sums_hwy(sums.taps, 0.3f, got.data(), columns);
          CHECK(got == expected);
        });
      }
    }
  }
}
