#include "kernels/dense/dense.h"

namespace coco::kernels {

int64_t dense_rows(const Shape& shape) noexcept {
  if (shape.rank() == 0) return 1;
  if (shape[shape.rank() - 1] == 0) return 0;
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.rank(); ++i) rows *= shape[i];
  return rows;
}

int64_t dense_row_length(const Shape& shape) noexcept { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }

}  // namespace coco::kernels
