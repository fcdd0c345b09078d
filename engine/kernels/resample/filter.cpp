#include "kernels/resample/filter.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coco/status.h"

namespace coco::kernels {
namespace {

// Keys: (a+2)|x|^3 - (a+3)|x|^2 + 1 for |x| <= 1; a|x|^3 - 5a|x|^2 + 8a|x| - 4a for |x| < 2; a = -0.5.
double bicubic(double x) {
  x = std::fabs(x);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  const double t = 3.14159265358979323846 * x;
  return std::sin(t) / t;
}

double lanczos3(double x) { return std::fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }

double evaluate(ResampleKernel kernel, double x) {
  return kernel == ResampleKernel::kBicubic ? bicubic(x) : lanczos3(x);
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Centre of an output in input samples, floor and fraction, from the exact rational
// x(i) = ((4i + 2 + so) * ratio_in - (2 + si) * ratio_out) / (4 * ratio_out).
struct Position {
  int64_t whole;
  double fraction;
};

Position position(const FilterSpec& spec, int i) {
  const int64_t numerator =
      (int64_t{4} * i + 2 + spec.out_siting) * spec.ratio_in - int64_t{2 + spec.in_siting} * spec.ratio_out;
  const int64_t denominator = int64_t{4} * spec.ratio_out;
  const int64_t whole = floor_div(numerator, denominator);
  const int64_t common = std::gcd(numerator - whole * denominator, denominator);
  return {whole,
          static_cast<double>((numerator - whole * denominator) / common) / static_cast<double>(denominator / common)};
}

// Integer coefficients: floors, then one more for the largest remainders until the sum is exact.
void quantise(const std::vector<double>& weights, int16_t* fixed, std::vector<int>& order) {
  const int taps = static_cast<int>(weights.size());
  std::vector<double> remainder(weights.size());
  int left = 1 << kFixedBits;
  for (int k = 0; k < taps; ++k) {
    const double scaled = weights[k] * (1 << kFixedBits);
    const double low = std::floor(scaled);
    fixed[k] = static_cast<int16_t>(low);
    remainder[k] = scaled - low;
    left -= fixed[k];
  }
  order.resize(weights.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return remainder[a] > remainder[b]; });
  for (int k = 0; left > 0; k = (k + 1) % taps, --left) ++fixed[order[k]];
  for (int k = taps - 1; left < 0; k = (k + taps - 1) % taps, ++left) --fixed[order[k]];
}

void transpose(FilterTable& table) {
  const size_t out = static_cast<size_t>(table.out), taps = static_cast<size_t>(table.taps);
  table.columns.resize(taps * out);
  table.fixed_pairs.resize(static_cast<size_t>(table.pairs()) * out);
  for (size_t i = 0; i < out; ++i) {
    for (size_t k = 0; k < taps; ++k) table.columns[k * out + i] = table.weights[i * taps + k];
    for (size_t p = 0; p < static_cast<size_t>(table.pairs()); ++p) {
      const uint32_t low = static_cast<uint16_t>(table.fixed[i * taps + 2 * p]);
      const uint32_t high = 2 * p + 1 < taps ? static_cast<uint16_t>(table.fixed[i * taps + 2 * p + 1]) : 0;
      table.fixed_pairs[p * out + i] = static_cast<int32_t>(low | high << 16);
    }
  }
}

}  // namespace

// The longest run of outputs, from an even one on, that repeats every second output one input sample further.
void find_doubling(FilterTable& table) {
  const ptrdiff_t taps = table.taps;
  const auto same = [&](const auto& rows, int i) {
    return std::equal(rows.begin() + i * taps, rows.begin() + (i + 1) * taps, rows.begin() + (i + 2) * taps);
  };
  const auto repeats = [&](int i) {
    return table.first[i + 2] == table.first[i] + 1 && same(table.weights, i) &&
           (table.fixed.empty() || same(table.fixed, i));
  };
  int begin = 0;
  for (int i = 0; i < table.out; ++i) {
    if (i + 2 < table.out && repeats(i)) continue;
    // Outputs begin .. i + 1 repeat; the run starts anew after i.
    const int first = begin + begin % 2, last = std::min(i + 2, table.out);
    if (last - first > table.x2_end - table.x2_begin && last - first > 2) {
      table.x2_begin = first;
      table.x2_end = last;
    }
    begin = i + 1;
  }
}

FilterTable make_filter(const FilterSpec& requested) {
  FilterSpec spec = requested;
  if (spec.ratio_in == 0) spec.ratio_in = spec.in;
  if (spec.ratio_out == 0) spec.ratio_out = spec.out;
  COCO_CHECK(spec.in > 0 && spec.out > 0 && spec.ratio_in > 0 && spec.ratio_out > 0, "a filter needs samples");
  const double widen = std::max(1.0, static_cast<double>(spec.ratio_in) / spec.ratio_out);
  const double support = (spec.kernel == ResampleKernel::kBicubic ? 2 : 3) * widen;
  const int raw_taps = static_cast<int>(std::ceil(2 * support));

  FilterTable table;
  table.in = spec.in;
  table.out = spec.out;
  table.taps = std::min(raw_taps, spec.in);
  const size_t entries = static_cast<size_t>(spec.out) * static_cast<size_t>(table.taps);
  table.first.resize(static_cast<size_t>(spec.out));
  table.weights.resize(entries);
  table.fixed.resize(entries);
  std::vector<double> folded(static_cast<size_t>(table.taps));
  std::vector<int> order;
  for (int i = 0; i < spec.out; ++i) {
    const Position centre = position(spec, i);
    const int64_t raw_first = centre.whole + static_cast<int64_t>(std::floor(centre.fraction - support)) + 1;
    const int64_t first = std::clamp<int64_t>(raw_first, 0, spec.in - table.taps);
    std::fill(folded.begin(), folded.end(), 0.0);
    double sum = 0;
    for (int k = 0; k < raw_taps; ++k) {
      const double distance = static_cast<double>(raw_first + k - centre.whole) - centre.fraction;
      const double weight = evaluate(spec.kernel, distance / widen);
      folded[static_cast<size_t>(std::clamp<int64_t>(raw_first + k, 0, spec.in - 1) - first)] += weight;
      sum += weight;
    }
    for (double& weight : folded) weight /= sum;
    table.first[static_cast<size_t>(i)] = static_cast<int>(first);
    const size_t row = static_cast<size_t>(i) * static_cast<size_t>(table.taps);
    std::copy(folded.begin(), folded.end(), table.weights.begin() + static_cast<ptrdiff_t>(row));
    quantise(folded, &table.fixed[row], order);
  }
  transpose(table);
  find_doubling(table);
  return table;
}

FilterTable make_filter(int in, int out, ResampleKernel kernel) {
  FilterSpec spec;
  spec.in = in;
  spec.out = out;
  spec.kernel = kernel;
  return make_filter(spec);
}

}  // namespace coco::kernels
