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
Status import_prelu(NodeContext&);
Status import_clip(NodeContext&);
Status import_cast(NodeContext&);
Status import_identity(NodeContext&);
Status import_dropout(NodeContext&);

// import_quantize.cpp
Status import_quantize_linear(NodeContext&);
Status import_dequantize_linear(NodeContext&);

// import_resize.cpp
Status import_resize(NodeContext&);
Status import_upsample(NodeContext&);

// import_layout.cpp
Status import_concat(NodeContext&);
Status import_depth_to_space(NodeContext&);
Status import_space_to_depth(NodeContext&);
Status import_pad(NodeContext&);
Status import_reshape(NodeContext&);
Status import_slice(NodeContext&);
Status import_split(NodeContext&);
Status import_squeeze(NodeContext&);
Status import_transpose(NodeContext&);
Status import_unsqueeze(NodeContext&);

// import_constant.cpp
Status import_constant(NodeContext&);
Status import_shape(NodeContext&);

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
