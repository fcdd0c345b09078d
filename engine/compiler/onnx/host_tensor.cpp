#include "compiler/onnx/host_tensor.h"

#include <cmath>
#include <limits>

namespace coco::compiler {
namespace {

bool is_prime(int64_t n) {
  if (n < 2) return false;
  for (int64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return true;
}

/// The `skip`-th prime from `from` on.
int64_t prime_from(int64_t from, size_t skip) {
  for (int64_t n = from;; ++n) {
    if (is_prime(n) && skip-- == 0) return n;
  }
}

}  // namespace

std::optional<double> HostTensor::constant(size_t i) const {
  std::optional<double> value;
  size_t known = 0;
  for (const std::vector<double>& trial : values) {
    if (std::isnan(trial[i])) continue;
    if (value && *value != trial[i]) return std::nullopt;
    value = trial[i];
    ++known;
  }
  return known >= kEnoughTrials ? value : std::nullopt;
}

bool HostTensor::is_constant() const {
  for (size_t i = 0; i < size(); ++i) {
    if (!constant(i)) return false;
  }
  return true;
}

HostTensor HostTensor::of(DataType type, Shape shape, std::vector<double> numbers) {
  HostTensor tensor{type, std::move(shape), {}};
  for (std::vector<double>& trial : tensor.values) trial = numbers;
  return tensor;
}

std::array<int64_t, kTrials> trial_values(size_t root, bool batch) {
  static constexpr std::array<int64_t, kTrials> kMultiple{1, 1, 2, 6, 8, 48, 32, 192};
  static constexpr std::array<int64_t, kTrials> kFrom{29, 997, 331, 187, 101, 31, 37, 7};
  const size_t skip = root % 64;
  std::array<int64_t, kTrials> values{};
  for (size_t k = 0; k < kTrials; ++k) {
    values[k] = batch ? prime_from(2, skip + k) : kMultiple[k] * prime_from(kFrom[k], skip);
  }
  return values;
}

int64_t to_int(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9.2233720368547e18) return std::numeric_limits<int64_t>::max();
  if (value <= -9.2233720368547e18) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

}  // namespace coco::compiler
