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
  DataType type = DataType::kF32;
  std::vector<uint8_t> bytes;
  TensorView view() const { return {type, shape, bytes.data()}; }
  MutableTensorView mutable_view() { return {type, shape, bytes.data()}; }
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
/// initialisers of `model`, with the set's data; the others are returned. A model that is left without inputs gets one
/// that nothing reads. `all_known`: every input becomes an initialiser. kUnsupported when something is no tensor of
/// numbers.
Result<DataSet> read_data_set(const BackendTest& test, int set, onnx::ModelProto& model, bool all_known = false);
int data_set_count(const BackendTest& test);

/// Empty when integers are equal and |actual - expected| <= 1e-5 + 1e-3 |expected| everywhere; otherwise what differs.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace coco::testing
