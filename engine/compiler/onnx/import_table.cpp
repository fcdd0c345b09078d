#include "compiler/onnx/import_table.h"

#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

// To add an operator: its row here, its function in one of the import_*.cpp files, declared in import_ops.h.
constexpr ImportRow kRows[] = {
    {"Add", 7, 17, import_binary, evaluate_binary},
    {"BatchNormalization", 7, 17, import_batch_normalization, nullptr},
    {"Cast", 7, 17, import_cast, evaluate_cast},
    {"Ceil", 7, 17, nullptr, evaluate_unary},
    {"Clip", 7, 17, import_clip, nullptr},
    {"Concat", 7, 17, import_concat, evaluate_concat},
    {"Constant", 7, 17, import_constant, nullptr},
    {"ConstantOfShape", 9, 17, nullptr, evaluate_constant_of_shape},
    {"Conv", 7, 17, import_conv, nullptr},
    {"ConvTranspose", 7, 17, import_conv_transpose, nullptr},
    {"DepthToSpace", 7, 17, import_depth_to_space, nullptr},
    {"DequantizeLinear", 10, 17, import_dequantize_linear, nullptr},
    {"Div", 7, 17, import_binary, evaluate_binary},
    {"Dropout", 7, 17, import_dropout, nullptr},
    {"Floor", 7, 17, nullptr, evaluate_unary},
    {"Gather", 7, 17, nullptr, evaluate_gather},
    {"Identity", 7, 17, import_identity, evaluate_identity},
    {"LeakyRelu", 7, 17, import_unary, nullptr},
    {"Mod", 10, 17, nullptr, evaluate_binary},
    {"Mul", 7, 17, import_binary, evaluate_binary},
    {"Neg", 7, 17, nullptr, evaluate_unary},
    {"PRelu", 7, 17, import_prelu, nullptr},
    {"Pad", 7, 17, import_pad, nullptr},
    {"QuantizeLinear", 10, 17, import_quantize_linear, nullptr},
    {"Relu", 7, 17, import_unary, nullptr},
    {"Reshape", 7, 17, import_reshape, evaluate_reshape},
    {"Resize", 10, 17, import_resize, nullptr},
    {"Shape", 7, 17, import_shape, nullptr},
    {"Sigmoid", 7, 17, import_unary, nullptr},
    {"Slice", 7, 17, import_slice, evaluate_slice},
    {"SpaceToDepth", 7, 17, import_space_to_depth, nullptr},
    {"Split", 7, 17, import_split, nullptr},
    {"Squeeze", 7, 17, import_squeeze, evaluate_squeeze},
    {"Sub", 7, 17, import_binary, evaluate_binary},
    {"Tanh", 7, 17, import_unary, nullptr},
    {"Transpose", 7, 17, import_transpose, nullptr},
    {"Unsqueeze", 7, 17, import_unsqueeze, evaluate_unsqueeze},
    {"Upsample", 7, 9, import_upsample, nullptr},
};

}  // namespace

std::span<const ImportRow> import_rows() { return kRows; }

const ImportRow* find_import_row(std::string_view op) {
  for (const ImportRow& row : kRows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

}  // namespace coco::compiler
