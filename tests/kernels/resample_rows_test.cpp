#include <random>

#include "catch.h"
#include "kernels/resample/rows.h"
#include "tests/kernels/resample_support.h"

namespace coco::kernels {
namespace {

std::vector<float> random_row(int n, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-0.2f, 1.2f);
  std::vector<float> row(static_cast<size_t>(n));
  for (float& value : row) value = uniform(random);
  return row;
}

const int kWidths[] = {1, 2, 3, 15, 16, 17, 33, 64, 100, 257};

}  // namespace

TEST_CASE("vertical rows are the reference's and do not depend on the cut", "[resample]") {
  for_each_target([] {
    for (const auto& [in, out] : {std::pair{20, 40}, std::pair{20, 27}, std::pair{27, 9}, std::pair{2, 5}}) {
      const FilterTable table = make_filter(in, out, ResampleKernel::kLanczos3);
      for (const int width : kWidths) {
        std::vector<std::vector<float>> rows;
        std::vector<const float*> pointers;
        for (int k = 0; k < table.taps; ++k) rows.push_back(random_row(width, static_cast<uint32_t>(k)));
        for (const auto& row : rows) pointers.push_back(row.data());
        std::vector<float> expected(static_cast<size_t>(width)), actual(static_cast<size_t>(width) + 1, 42.0f);
        std::vector<float> cut(static_cast<size_t>(width));
        const int y = out / 2;
        resample_row_v_ref(table, y, pointers.data(), width, expected.data());
        resample_row_v(table, y, pointers.data(), width, actual.data());
        CHECK(actual.back() == 42.0f);
        actual.pop_back();
        CHECK(actual == expected);
        const int split = width / 3;
        resample_row_v(table, y, pointers.data(), split, cut.data());
        for (const float*& pointer : pointers) pointer += split;
        resample_row_v(table, y, pointers.data(), width - split, cut.data() + split);
        CHECK(cut == actual);
      }
    }
  });
}

TEST_CASE("horizontal rows are the reference's and do not depend on the cut", "[resample]") {
  for_each_target([] {
    for (const ResampleKernel kernel : {ResampleKernel::kBicubic, ResampleKernel::kLanczos3}) {
      for (const int in : kWidths) {
        for (const int out : {1, 3, 17, 40, 100, 133, 231, 514, 2 * in}) {
          INFO(in << " -> " << out);
          const FilterTable table = make_filter(in, out, kernel);
          const std::vector<float> row = random_row(in, 9);
          std::vector<float> expected(static_cast<size_t>(out)), actual(static_cast<size_t>(out) + 1, 42.0f);
          resample_row_h_ref(table, row.data(), 0, in, 0, out, expected.data());
          resample_row_h(table, row.data(), 0, in, 0, out, actual.data());
          CHECK(actual.back() == 42.0f);
          actual.pop_back();
          CHECK((actual == expected));

          // Strips that hold just the columns they need, in a buffer of exactly that size.
          std::vector<float> cut(static_cast<size_t>(out));
          for (const int strip : {7, 64}) {
            for (int x0 = 0; x0 < out; x0 += strip) {
              const int x1 = std::min(out, x0 + strip), from = table.first[x0];
              const int count = table.first[x1 - 1] + table.taps - from;
              const std::vector<float> columns(row.begin() + from, row.begin() + from + count);
              resample_row_h(table, columns.data(), from, count, x0, x1, cut.data() + x0);
            }
            CHECK(cut == actual);
          }
        }
      }
    }
  });
}

}  // namespace coco::kernels
