#include "compiler/onnx/tensor_proto.h"

#include <cmath>
#include <cstring>

#include "format/program.h"

namespace coco::compiler {
namespace {

using onnx::TensorProto;

Error bad_tensor(const TensorProto& tensor, const std::string& what) {
  return make_error(ErrorCode::kInvalidData, "tensor '" + tensor.name() + "' " + what);
}

/// Little-endian elements of raw_data.
template <typename T, typename Convert>
void read_raw(const std::string& raw, size_t count, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    T element;
    std::memcpy(&element, raw.data() + i * sizeof(T), sizeof(T));
    convert(i, element);
  }
}

size_t element_bytes(int type) {
  switch (type) {
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return 8;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 4;
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
    case TensorProto::INT16:
    case TensorProto::UINT16:
      return 2;
    default:
      return 1;
  }
}

/// Elements in the typed field that ONNX prescribes for this type.
int typed_size(const TensorProto& tensor) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return tensor.float_data_size();
    case TensorProto::DOUBLE:
      return tensor.double_data_size();
    case TensorProto::INT64:
      return tensor.int64_data_size();
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return tensor.uint64_data_size();
    default:
      return tensor.int32_data_size();
  }
}

Result<size_t> checked_count(const TensorProto& tensor) {
  if (tensor.data_location() == TensorProto::EXTERNAL || tensor.external_data_size() > 0) {
    return make_error(ErrorCode::kUnsupported,
                      "tensor '" + tensor.name() +
                          "' keeps its data in another file; save the model with its weights inside "
                          "(onnx.save_model(..., save_as_external_data=False))");
  }
  if (tensor.has_segment()) return bad_tensor(tensor, "is stored in segments, which is not supported");
  COCO_ASSIGN(const Shape shape, tensor_shape(tensor));
  const auto count = static_cast<size_t>(shape.element_count().value_or(0));
  const bool raw = tensor.has_raw_data();
  const size_t stored = raw ? tensor.raw_data().size() : static_cast<size_t>(typed_size(tensor));
  const size_t expected = raw ? count * element_bytes(tensor.data_type()) : count;
  if (stored != expected) {
    return bad_tensor(tensor, "of shape " + shape.to_string() + " should hold " + std::to_string(expected) +
                                  (raw ? " bytes" : " elements") + " but holds " + std::to_string(stored));
  }
  return count;
}

/// Calls convert(index, number) for every element.
template <typename Convert>
void visit_elements(const TensorProto& tensor, size_t count, Convert convert) {
  const std::string& raw = tensor.raw_data();
  const bool is_raw = tensor.has_raw_data();
  auto from_int32 = [&](auto cast) {
    for (size_t i = 0; i < count; ++i) convert(i, cast(tensor.int32_data(static_cast<int>(i))));
  };
  auto bfloat = [](uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  };
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      if (is_raw) return read_raw<float>(raw, count, convert);
      for (size_t i = 0; i < count; ++i) convert(i, tensor.float_data(static_cast<int>(i)));
      return;
    case TensorProto::DOUBLE:
      if (is_raw) return read_raw<double>(raw, count, convert);
      for (size_t i = 0; i < count; ++i) convert(i, tensor.double_data(static_cast<int>(i)));
      return;
    case TensorProto::FLOAT16:
      if (is_raw) return read_raw<uint16_t>(raw, count, [&](size_t i, uint16_t v) { convert(i, half_to_float(v)); });
      return from_int32([](int32_t v) { return half_to_float(static_cast<uint16_t>(v)); });
    case TensorProto::BFLOAT16:
      if (is_raw) return read_raw<uint16_t>(raw, count, [&](size_t i, uint16_t v) { convert(i, bfloat(v)); });
      return from_int32([&](int32_t v) { return bfloat(static_cast<uint16_t>(v)); });
    case TensorProto::INT64:
      if (is_raw) return read_raw<int64_t>(raw, count, convert);
      for (size_t i = 0; i < count; ++i) convert(i, tensor.int64_data(static_cast<int>(i)));
      return;
    case TensorProto::UINT64:
      if (is_raw) return read_raw<uint64_t>(raw, count, convert);
      for (size_t i = 0; i < count; ++i) convert(i, tensor.uint64_data(static_cast<int>(i)));
      return;
    case TensorProto::UINT32:
      if (is_raw) return read_raw<uint32_t>(raw, count, convert);
      for (size_t i = 0; i < count; ++i) convert(i, tensor.uint64_data(static_cast<int>(i)));
      return;
    case TensorProto::INT32:
      if (is_raw) return read_raw<int32_t>(raw, count, convert);
      return from_int32([](int32_t v) { return v; });
    case TensorProto::INT16:
      if (is_raw) return read_raw<int16_t>(raw, count, convert);
      return from_int32([](int32_t v) { return v; });
    case TensorProto::UINT16:
      if (is_raw) return read_raw<uint16_t>(raw, count, convert);
      return from_int32([](int32_t v) { return v; });
    case TensorProto::INT8:
      if (is_raw) return read_raw<int8_t>(raw, count, convert);
      return from_int32([](int32_t v) { return v; });
    default:  // UINT8, BOOL
      if (is_raw) return read_raw<uint8_t>(raw, count, convert);
      return from_int32([](int32_t v) { return v; });
  }
}

}  // namespace

bool is_float_type(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16 ||
         type == TensorProto::DOUBLE;
}

bool is_integer_type(int type) {
  switch (type) {
    case TensorProto::INT8:
    case TensorProto::UINT8:
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::INT32:
    case TensorProto::UINT32:
    case TensorProto::INT64:
    case TensorProto::UINT64:
    case TensorProto::BOOL:
      return true;
    default:
      return false;
  }
}

std::string type_name(int type) {
  const std::string& name = onnx::TensorProto_DataType_Name(type);
  return name.empty() ? "type " + std::to_string(type) : name;
}

Result<Shape> tensor_shape(const TensorProto& tensor) {
  std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  if (dims.size() > format::Limits::kMaxRank) return bad_tensor(tensor, "has too many dimensions");
  for (int64_t dim : dims) {
    if (dim < 0 || dim > format::Limits::kMaxElements) return bad_tensor(tensor, "has a dimension out of bounds");
  }
  Shape shape(std::move(dims));
  const auto count = shape.element_count();
  if (!count || *count > format::Limits::kMaxElements) return bad_tensor(tensor, "is too large");
  return shape;
}

Result<std::vector<float>> tensor_floats(const TensorProto& tensor) {
  if (!is_float_type(tensor.data_type())) {
    return bad_tensor(tensor, "holds " + type_name(tensor.data_type()) + ", not floating-point numbers");
  }
  COCO_ASSIGN(const size_t count, checked_count(tensor));
  std::vector<float> values(count);
  visit_elements(tensor, count, [&](size_t i, auto value) { values[i] = static_cast<float>(value); });
  return values;
}

Result<HostTensor> tensor_numbers(const TensorProto& tensor) {
  const int type = tensor.data_type();
  if (!is_float_type(type) && !is_integer_type(type)) {
    return make_error(ErrorCode::kUnsupported, "tensor '" + tensor.name() + "' holds " + type_name(type));
  }
  COCO_ASSIGN(const size_t count, checked_count(tensor));
  if (count > static_cast<size_t>(kMaxHostElements)) {
    return make_error(ErrorCode::kUnsupported, "tensor '" + tensor.name() + "' of " + type_name(type) + " has " +
                                                   std::to_string(count) + " elements; only small ones are evaluated");
  }
  std::vector<double> values(count);
  visit_elements(tensor, count, [&](size_t i, auto value) { values[i] = static_cast<double>(value); });
  COCO_ASSIGN(Shape shape, tensor_shape(tensor));
  return HostTensor::of(engine_type(type), std::move(shape), std::move(values));
}

DataType engine_type(int type) {
  switch (type) {
    case TensorProto::INT8:
      return DataType::kS8;
    case TensorProto::UINT8:
      return DataType::kU8;
    case TensorProto::BOOL:
      return DataType::kBool;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::INT32:
      return DataType::kS32;
    case TensorProto::UINT32:
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return DataType::kS64;
    default:
      return DataType::kF32;
  }
}

Result<IntegerTensor> tensor_integers(const TensorProto& tensor) {
  if (!is_integer_type(tensor.data_type())) {
    return make_error(ErrorCode::kUnsupported,
                      "tensor '" + tensor.name() + "' holds " + type_name(tensor.data_type()) + ", not integers");
  }
  COCO_ASSIGN(const size_t count, checked_count(tensor));
  IntegerTensor result;
  COCO_ASSIGN(result.shape, tensor_shape(tensor));
  result.type = engine_type(tensor.data_type());
  const size_t bytes = byte_size(result.type);
  result.bytes.resize(count * bytes);
  visit_elements(tensor, count, [&](size_t i, auto value) {
    const auto number = static_cast<int64_t>(value);  // little-endian: its first bytes are the narrower number
    std::memcpy(result.bytes.data() + i * bytes, &number, bytes);
  });
  return result;
}

float half_to_float(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa != 0 ? std::nanf("") : sign * HUGE_VALF;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

}  // namespace coco::compiler
