// Purpose: reads ONNX tensors, with every size checked against the data that is there.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "coco/status.h"
#include "coco/tensor.h"
#include "compiler/onnx/host_tensor.h"

namespace coco::compiler {

/// FLOAT, FLOAT16, BFLOAT16, DOUBLE.
bool is_float_type(int onnx_type);
/// INT8 ... UINT64, BOOL.
bool is_integer_type(int onnx_type);
/// "FLOAT", "INT64", ...
std::string type_name(int onnx_type);

/// The dimensions, checked against Limits.
Result<Shape> tensor_shape(const onnx::TensorProto& tensor);
/// Elements of a floating-point tensor as f32.
Result<std::vector<float>> tensor_floats(const onnx::TensorProto& tensor);
/// Elements of a small integer or floating-point tensor.
Result<HostTensor> tensor_numbers(const onnx::TensorProto& tensor);

/// The type the engine keeps an ONNX type in: f32 for every floating type, the next wider integer it has for the
/// others.
DataType engine_type(int onnx_type);

struct IntegerTensor {
  DataType type = DataType::kU8;
  Shape shape;
  std::vector<uint8_t> bytes;
};
/// Elements of an integer tensor, any number of them, in its engine_type.
Result<IntegerTensor> tensor_integers(const onnx::TensorProto& tensor);

/// IEEE binary16 to f32.
float half_to_float(uint16_t bits);

}  // namespace coco::compiler
