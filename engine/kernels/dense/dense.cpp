#include "kernels/dense/dense.h"

#include <algorithm>

namespace coco::kernels {

int64_t dense_rows(const Shape& shape) noexcept {
  if (shape.rank() == 0) return 1;
  if (shape[shape.rank() - 1] == 0) return 0;
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.rank(); ++i) rows *= shape[i];
  return rows;
}

int64_t dense_row_length(const Shape& shape) noexcept { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }

namespace {

int64_t product(const Shape& shape, size_t begin, size_t end) noexcept {
  int64_t count = 1;
  for (size_t i = begin; i < end; ++i) count *= shape[i];
  return count;
}

struct Units {
  const Shape& in;
  const Shape& out;
  int64_t operator()(const format::SoftmaxParams& p) const noexcept {
    return product(in, 0, static_cast<size_t>(p.axis)) * product(in, static_cast<size_t>(p.end), in.rank());
  }
  int64_t operator()(const format::TopKParams& p) const noexcept {
    return product(in, 0, static_cast<size_t>(p.axis)) * product(in, static_cast<size_t>(p.axis) + 1, in.rank());
  }
  int64_t operator()(const format::LayerNormParams& p) const noexcept {
    return product(in, 0, static_cast<size_t>(p.axis));
  }
  int64_t operator()(const format::GroupNormParams& p) const noexcept { return in[0] * p.groups; }
  int64_t operator()(const format::ScatterNdParams&) const noexcept { return 1; }
  int64_t operator()(const format::NonMaxSuppressionParams&) const noexcept { return 1; }
  int64_t operator()(const format::LstmParams&) const noexcept { return out[1] * out[2]; }
  int64_t operator()(const format::GruParams&) const noexcept { return out[1] * out[2]; }
  template <typename Params>
  int64_t operator()(const Params&) const noexcept {
    return dense_rows(out);
  }
};

}  // namespace

int64_t dense_units(const DenseKey& key) noexcept {
  const Shape& out = key.outputs[0].shape;
  // Without steps an Lstm's y is empty, its states are not.
  const bool empty = std::all_of(key.outputs.begin(), key.outputs.end(),
                                 [](const MutableTensorView& v) { return dense_rows(v.shape) == 0; });
  return empty ? 0 : std::visit(Units{key.inputs[0].shape, out}, *key.params);
}

}  // namespace coco::kernels
