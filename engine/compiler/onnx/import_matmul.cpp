// MatMul and Gemm.
#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using graph::Value;

Result<Value*> reshaped(NodeContext& node, Value* x, std::vector<int64_t> shape) {
  format::ReshapeParams params;
  params.shape = std::move(shape);
  return node.add(params, {x});
}

Result<Value*> scaled(NodeContext& node, Value* x, float factor, const char* role) {
  if (factor == 1) return x;
  return node.add(format::BinaryParams{BinaryKind::kMul}, {x, node.add_number(role, x->type(), factor)});
}

/// Whether adding c to a product with n columns adds one number to each column.
bool is_row(const Shape& c, int64_t n) {
  for (size_t i = 0; i + 1 < c.rank(); ++i) {
    if (c[i] != 1) return false;
  }
  return n != kDynamicDim && c.rank() > 0 && c[c.rank() - 1] == n;
}

}  // namespace

// A vector on the left is a row, one on the right a column; their dimension is not in the result.
Status import_matmul_values(NodeContext& node, Value* a, Value* b) {
  const bool row = a->shape().rank() == 1, column = b->shape().rank() == 1;
  if (row) {
    COCO_ASSIGN(a, reshaped(node, a, {1, -1}));
  }
  if (column) {
    COCO_ASSIGN(b, reshaped(node, b, {-1, 1}));
  }
  COCO_ASSIGN(Value * product, node.add(format::MatMulParams{}, {a, b}));
  if (row || column) {
    std::vector<int64_t> shape;
    const size_t lead = product->shape().rank() - 2;
    for (size_t i = 0; i < lead; ++i) shape.push_back(0);
    if (!row) shape.push_back(lead == 0 ? -1 : product->shape()[lead]);
    if (!column) shape.push_back(-1);
    COCO_ASSIGN(product, reshaped(node, product, std::move(shape)));
  }
  node.set_output(0, product);
  return {};
}

Status import_matmul(NodeContext& node) {
  COCO_ASSIGN(Value * a, node.any(0));
  COCO_ASSIGN(Value * b, node.any(1));
  return import_matmul_values(node, a, b);
}

// y = alpha A B + beta C
Status import_gemm(NodeContext& node) {
  COCO_ASSIGN(Value * a, node.tensor(0));
  COCO_ASSIGN(Value * b, node.tensor(1));
  if (a->shape().rank() != 2 || b->shape().rank() != 2) return node.invalid("multiplies something else than matrices");
  const format::MatMulParams params{node.get_int("transA", 0) != 0, node.get_int("transB", 0) != 0};
  const float alpha = node.get_float("alpha", 1);
  // The smaller constant takes the factor.
  COCO_ASSIGN(b, scaled(node, b, alpha, "alpha"));
  std::vector<Value*> inputs{a, b};
  if (!node.has_input(2)) return node.finish(params, inputs);
  COCO_ASSIGN(Value * c, node.tensor(2));
  COCO_ASSIGN(c, scaled(node, c, node.get_float("beta", 1), "beta"));
  const int64_t columns = b->shape()[params.transpose_b ? 0 : 1];
  if (is_row(c->shape(), columns)) {
    if (c->shape().rank() > 1) {
      COCO_ASSIGN(c, reshaped(node, c, {-1}));
    }
    inputs.push_back(c);
    return node.finish(params, inputs);
  }
  COCO_ASSIGN(Value * product, node.add(params, inputs));
  return node.finish(format::BinaryParams{BinaryKind::kAdd}, {product, c});
}

}  // namespace coco::compiler
