// Purpose: reads the ONNX project's backend tests (Debian package libonnx-testdata).
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "coco/status.h"
#include "coco/tensor.h"

namespace coco::testing {

struct Tensor {
  Shape shape;
  std::vector<float> data;
  DataType type = DataType::kF32;  ///< f32, or u8 with its elements in `steps`
  std::vector<uint8_t> steps;
  TensorView view() const {
    return {type, shape, type == DataType::kU8 ? static_cast<const void*>(steps.data()) : data.data()};
  }
  MutableTensorView mutable_view() {
    return {type, shape, type == DataType::kU8 ? static_cast<void*>(steps.data()) : data.data()};
  }
};
/// Room for a result.
Tensor make_tensor(DataType type, const Shape& shape);

struct DataSet {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

struct BackendTest {
  std::string name;  ///< "node/test_relu"
  std::string folder;
  onnx::ModelProto model;
};

/// The folder that holds `node`, `simple`, ...: COCO_ONNX_TESTDATA or the Debian package's; empty when there is none.
std::string backend_data_folder();
/// Every test of a suite, by name.
std::vector<BackendTest> read_suite(const std::string& suite);
bool uses_only(const BackendTest& test, const std::vector<std::string>& operators);

/// Every data set of a test. Inputs the engine wants to know when compiling (weights, sizes, pads ...) become
/// initialisers of `model`, with the set's data; the others are returned. kUnsupported when a tensor is not of a
/// floating type.
Result<DataSet> read_data_set(const BackendTest& test, int set, onnx::ModelProto& model);
int data_set_count(const BackendTest& test);

/// Empty when |actual - expected| <= 1e-5 + 1e-3 |expected| everywhere; otherwise what differs.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace coco::testing
