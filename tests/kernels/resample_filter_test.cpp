#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "kernels/resample/filter.h"
#include "tests/kernels/resample_support.h"

namespace coco::kernels {
namespace {

const int kSizes[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 64, 100, 231};

// Interior outputs, whose windows were not folded at an edge, reproduce a ramp: the filter's centre of mass is the
// position asked for.
void check_ramp(const FilterSpec& spec) {
  const FilterTable table = make_filter(spec);
  const double step = static_cast<double>(spec.ratio_in) / spec.ratio_out;
  const double support = (spec.kernel == ResampleKernel::kBicubic ? 2 : 3) * std::max(1.0, step);
  // Lanczos, and the bicubic once widened, are not exactly linear: their centre wanders by hundredths of a sample.
  const double margin = spec.kernel == ResampleKernel::kBicubic && step <= 1 ? 1e-4 : 0.05;
  int checked = 0;
  for (int i = 0; i < table.out; ++i) {
    const double expected = (i + 0.5 + spec.out_siting / 4.0) * step - 0.5 - spec.in_siting / 4.0;
    if (expected - support < 0 || expected + support > spec.in - 1) continue;
    double centre = 0;
    for (int k = 0; k < table.taps; ++k) centre += table.weights[i * table.taps + k] * (table.first[i] + k);
    INFO("output " << i << " of " << spec.in << " -> " << spec.out);
    CHECK(centre == Approx(expected).margin(margin));
    ++checked;
  }
  CHECK(checked > 0);
}

}  // namespace

TEST_CASE("filter tables stay inside the input and sum to one", "[resample]") {
  for (const ResampleKernel kernel : {ResampleKernel::kBicubic, ResampleKernel::kLanczos3}) {
    for (const int in : kSizes) {
      for (const int out : kSizes) {
        INFO(in << " -> " << out << (kernel == ResampleKernel::kBicubic ? " bicubic" : " lanczos3"));
        const FilterTable table = make_filter(in, out, kernel);
        REQUIRE(table.taps <= in);
        bool inside = true, rising = true, float_sum = true, fixed_sum = true, transposed = true;
        for (int i = 0; i < out; ++i) {
          inside = inside && table.first[i] >= 0 && table.first[i] <= in - table.taps;
          rising = rising && (i == 0 || table.first[i] >= table.first[i - 1]);
          const auto row = table.weights.begin() + i * table.taps;
          float_sum = float_sum && std::fabs(std::accumulate(row, row + table.taps, 0.0) - 1) < 1e-5;
          const auto fixed = table.fixed.begin() + i * table.taps;
          fixed_sum = fixed_sum && std::accumulate(fixed, fixed + table.taps, 0) == 1 << kFixedBits;
          for (int k = 0; k < table.taps; ++k) {
            transposed = transposed && table.columns[k * out + i] == row[k] &&
                         static_cast<int16_t>(table.fixed_pairs[k / 2 * out + i] >> (k % 2 * 16)) == fixed[k];
          }
        }
        CHECK(inside);
        CHECK(rising);
        CHECK(float_sum);
        CHECK(fixed_sum);
        CHECK(transposed);
      }
    }
  }
}

TEST_CASE("filters are centred where the siting says", "[resample]") {
  const int pairs[][2] = {{100, 200}, {100, 133}, {133, 100}, {200, 100}, {90, 210}, {300, 70}};
  for (const auto& [in, out] : pairs) {
    for (const int siting : {0, -1}) {
      for (const ResampleKernel kernel : {ResampleKernel::kBicubic, ResampleKernel::kLanczos3}) {
        FilterSpec spec = axis(in, out, siting);
        spec.kernel = kernel;
        spec.ratio_in = in;
        spec.ratio_out = out;
        check_ramp(spec);
        // A picture of odd size: one luma sample less than the chroma plane covers.
        spec.ratio_in = 2 * in - 1;
        spec.ratio_out = 2 * out;
        check_ramp(spec);
      }
    }
  }
}

TEST_CASE("doubling with co-sited chroma has phases 7/8 and 3/8, with centred chroma 1/4 and 3/4", "[resample]") {
  const auto keys = [](double t) {  // weights of the four neighbours at fraction t, a = -0.5
    return std::array<double, 4>{-0.5 * t * (1 - t) * (1 - t), (1.5 * t - 2.5) * t * t + 1,
                                 (1.5 * (1 - t) - 2.5) * (1 - t) * (1 - t) + 1, -0.5 * (1 - t) * t * t};
  };
  struct Phase {
    int siting, output, first;
    double fraction;
  };
  // x(10) = 10.5/2 - 0.5 = 4.75 and x(11) = 5.25 centred; 4.875 and 5.375 co-sited.
  for (const Phase& phase :
       {Phase{0, 10, 3, 0.75}, Phase{0, 11, 4, 0.25}, Phase{-1, 10, 3, 0.875}, Phase{-1, 11, 4, 0.375}}) {
    const FilterTable table = make_filter(axis(32, 64, phase.siting));
    REQUIRE(table.taps == 4);
    CHECK(table.first[phase.output] == phase.first);
    for (int k = 0; k < 4; ++k) {
      CHECK(table.weights[phase.output * 4 + k] == Approx(keys(phase.fraction)[k]).margin(1e-6));
      CHECK(std::abs(table.fixed[phase.output * 4 + k] - keys(phase.fraction)[k] * 16384) < 1);
    }
    CHECK(table.x2_end - table.x2_begin >= 56);
    CHECK(table.x2_begin % 2 == 0);
  }
}

TEST_CASE("equal sizes are the identity", "[resample]") {
  for (const int siting : {0, -1}) {
    const FilterTable table = make_filter(axis(20, 20, siting));
    for (int i = 0; i < 20; ++i) {
      for (int k = 0; k < table.taps; ++k) {
        CHECK(table.fixed[i * table.taps + k] == (table.first[i] + k == i ? 1 << kFixedBits : 0));
      }
    }
  }
}

TEST_CASE("other ratios are not taken for a doubling", "[resample]") {
  for (const int out : {32, 33, 48, 63, 65, 96}) CHECK(make_filter(axis(32, out)).x2_end <= 4);
}

}  // namespace coco::kernels
