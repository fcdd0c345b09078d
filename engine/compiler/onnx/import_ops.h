// Purpose: the functions import_table.cpp refers to. One NodeContext each; see ImportRow.
#pragma once

#include "compiler/onnx/node_context.h"

namespace coco::compiler {

// import_conv.cpp
Status import_conv(NodeContext&);
Status import_conv_transpose(NodeContext&);
Status import_batch_normalization(NodeContext&);

// import_pointwise.cpp
Status import_binary(NodeContext&);
Status import_unary(NodeContext&);
Status import_variadic(NodeContext&);
Status import_pow(NodeContext&);
Status import_mod(NodeContext&);
Status import_where(NodeContext&);
Status import_is_inf(NodeContext&);
Status import_prelu(NodeContext&);
Status import_clip(NodeContext&);
Status import_cast(NodeContext&);
Status import_identity(NodeContext&);
Status import_dropout(NodeContext&);

// import_quantize.cpp
Status import_quantize_linear(NodeContext&);
Status import_dequantize_linear(NodeContext&);

// import_matmul.cpp
Status import_matmul(NodeContext&);
Status import_gemm(NodeContext&);
/// The node's result is the product of a and b, vectors included.
Status import_matmul_values(NodeContext&, graph::Value* a, graph::Value* b);

// import_integers.cpp
Status import_matmul_integer(NodeContext&);
Status import_qlinear_matmul(NodeContext&);
Status import_conv_integer(NodeContext&);
Status import_qlinear_conv(NodeContext&);
Status import_dynamic_quantize_linear(NodeContext&);

// import_reduce.cpp
Status import_reduce(NodeContext&);
Status import_global_pool(NodeContext&);
Status import_arg_reduce(NodeContext&);
Status import_top_k(NodeContext&);
Status import_softmax(NodeContext&);
Status import_instance_normalization(NodeContext&);
Status import_layer_normalization(NodeContext&);

// import_pool.cpp
Status import_pool(NodeContext&);

// import_gather.cpp
Status import_gather(NodeContext&);
Status import_gather_elements(NodeContext&);
Status import_scatter_nd(NodeContext&);
Status import_expand(NodeContext&);
Status import_tile(NodeContext&);
Status import_constant_of_shape(NodeContext&);
Status import_range(NodeContext&);
Status import_non_max_suppression(NodeContext&);
Status import_grid_sample(NodeContext&);

// import_recurrent.cpp
Status import_lstm(NodeContext&);
Status import_gru(NodeContext&);

// import_control.cpp
Status import_if(NodeContext&);
Status import_loop(NodeContext&);

// import_resize.cpp
Status import_resize(NodeContext&);
Status import_upsample(NodeContext&);

// import_layout.cpp
Status import_concat(NodeContext&);
Status import_depth_to_space(NodeContext&);
Status import_space_to_depth(NodeContext&);
Status import_pad(NodeContext&);
Status import_reshape(NodeContext&);
Status import_flatten(NodeContext&);
Status import_slice(NodeContext&);
Status import_split(NodeContext&);
Status import_squeeze(NodeContext&);
Status import_transpose(NodeContext&);
Status import_unsqueeze(NodeContext&);

// import_constant.cpp
Status import_constant(NodeContext&);
Status import_shape(NodeContext&);
Status import_size(NodeContext&);

// evaluate.cpp
Status evaluate_binary(NodeContext&);
Status evaluate_unary(NodeContext&);
Status evaluate_cast(NodeContext&);
Status evaluate_concat(NodeContext&);
Status evaluate_constant_of_shape(NodeContext&);
Status evaluate_gather(NodeContext&);
Status evaluate_identity(NodeContext&);
Status evaluate_reshape(NodeContext&);
Status evaluate_slice(NodeContext&);
Status evaluate_squeeze(NodeContext&);
Status evaluate_unsqueeze(NodeContext&);

}  // namespace coco::compiler
