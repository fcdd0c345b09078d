// Purpose: what the tests of row and block kernels share: every kernel of a slot on every instruction set, and how far
// a result is from the reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.h"
#include "kernels/registry.h"
#include "kernels/resample_support.h"

namespace coco::kernels {

/// Every row of a slot that serves `key`, the reference among them.
template <typename Slot, typename Fn>
void for_each_row(const typename Slot::Key& key, const Fn& fn) {
  const Capabilities vectors{"vectors"};
  for (const auto& row : kernel_rows<Slot>()) {
    if (!row.matches(key, vectors)) continue;
    INFO("kernel " << row.name);
    for_each_target([&] { fn(row); });
  }
}

/// |result - expected| / max(1, |expected|), the measure of a row's tolerance.
inline double error_of(double result, double expected) {
  return std::abs(result - expected) / std::max(1.0, std::abs(expected));
}

inline double worst_error(const std::vector<float>& result, const std::vector<float>& expected) {
  double worst = 0;
  for (size_t i = 0; i < result.size(); ++i) worst = std::max(worst, error_of(result[i], expected[i]));
  return worst;
}

}  // namespace coco::kernels
