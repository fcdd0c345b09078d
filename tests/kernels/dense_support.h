// Purpose: tensors and a runner for the tests of the dense kernels. The runner tests the slot: whatever rows of
// kernels.def serve a case are held to the reference, and every row to the contract of its work ranges.
#pragma once

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "catch.h"
#include "kernels/registry.h"

namespace coco::kernels::testing {

/// An owned dense tensor.
struct Tensor {
  Shape shape;
  std::vector<float> data;

  float& at(std::initializer_list<int64_t> index) { return data[offset(index)]; }
  float at(std::initializer_list<int64_t> index) const { return data[offset(index)]; }
  size_t offset(std::initializer_list<int64_t> index) const {
    int64_t sum = 0;
    size_t axis = 0;
    for (const int64_t i : index) sum = sum * shape[axis++] + i;
    return static_cast<size_t>(sum);
  }
};

inline Tensor filled(const Shape& shape, const std::function<float(size_t)>& fn) {
  Tensor t{shape, std::vector<float>(static_cast<size_t>(shape.element_count().value()))};
  for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = fn(i);
  return t;
}
inline Tensor iota(const Shape& shape, float first = 1) {
  return filled(shape, [first](size_t i) { return first + static_cast<float>(i); });
}
inline Tensor random(const Shape& shape, unsigned seed) {
  std::mt19937 engine(seed);
  return filled(shape, [&](size_t) { return static_cast<float>(engine() % 4001) / 1000.0f - 2.0f; });
}

inline TensorView view(const Tensor& t) { return {DataType::kF32, t.shape, t.data.data()}; }

/// Bytes of the result of one row of the kernel list, computed in one call.
inline std::vector<uint8_t> call(DenseKernel kernel, const format::OpParams& params, std::span<const TensorView> in,
                                 DataType type, const Shape& shape, bool row_by_row) {
  const size_t bytes = static_cast<size_t>(shape.element_count().value()) * byte_size(type);
  constexpr size_t kGuard = 32;
  std::vector<uint8_t> memory(bytes + 2 * kGuard, 0xA5);
  const MutableTensorView out{type, shape, memory.data() + kGuard};
  const int64_t rows = dense_rows(shape);
  if (row_by_row) {
    for (int64_t row = rows; row-- > 0;) kernel(params, in, {&out, 1}, row, row + 1);
  } else {
    kernel(params, in, {&out, 1}, 0, rows);
  }
  for (size_t i = 0; i < kGuard; ++i) {
    REQUIRE(memory[i] == 0xA5);
    REQUIRE(memory[kGuard + bytes + i] == 0xA5);
  }
  return {memory.begin() + kGuard, memory.end() - kGuard};
}

/// The reference's result, after checking every row of the list that serves the case against it.
inline std::vector<uint8_t> run_bytes(const format::OpParams& params, std::span<const TensorView> in, DataType type,
                                      const Shape& shape) {
  const MutableTensorView out{type, shape, nullptr};
  const DenseKey key{&params, in, {&out, 1}};
  const auto* reference = select_reference<DenseSlot>(key);
  REQUIRE(reference != nullptr);
  const std::vector<uint8_t> expected = call(reference->function, params, in, type, shape, false);
  for (const auto& row : kernel_rows<DenseSlot>()) {
    if (!row.matches(key, Capabilities{})) continue;
    INFO("kernel " << row.name);
    const std::vector<uint8_t> whole = call(row.function, params, in, type, shape, false);
    REQUIRE(call(row.function, params, in, type, shape, true) == whole);
    if (row.tolerance == 0) {
      REQUIRE(whole == expected);
      continue;
    }
    for (size_t i = 0; i < whole.size(); i += sizeof(float)) {
      float value = 0, wanted = 0;
      std::memcpy(&value, &whole[i], sizeof value);
      std::memcpy(&wanted, &expected[i], sizeof wanted);
      REQUIRE(std::abs(value - wanted) <= row.tolerance * std::max(1.0f, std::abs(wanted)));
    }
  }
  return expected;
}

/// f32 in, f32 out; null stands for an absent optional input.
inline Tensor run(const format::OpParams& params, const std::vector<const Tensor*>& in, const Shape& shape) {
  std::vector<TensorView> views;
  for (const Tensor* t : in) views.push_back(t != nullptr ? view(*t) : TensorView{});
  const std::vector<uint8_t> bytes = run_bytes(params, views, DataType::kF32, shape);
  Tensor result = filled(shape, [](size_t) { return 0.0f; });
  if (!bytes.empty()) std::memcpy(result.data.data(), bytes.data(), bytes.size());
  return result;
}

inline void require_close(const Tensor& result, const std::vector<double>& wanted, double tolerance) {
  REQUIRE(result.data.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    INFO("element " << i << ": " << result.data[i] << ", wanted " << wanted[i]);
    REQUIRE(std::abs(result.data[i] - wanted[i]) <= tolerance * std::max(1.0, std::abs(wanted[i])));
  }
}

}  // namespace coco::kernels::testing
