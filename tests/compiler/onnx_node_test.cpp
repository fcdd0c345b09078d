// The ONNX project's own backend tests for the operators the importer knows.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "catch.h"
#include "coco/session.h"
#include "compiler/compile_program.h"
#include "compiler/onnx_backend.h"
#include "compiler/onnx_builder.h"

using namespace coco;
using coco::testing::BackendTest;
using coco::testing::DataSet;
using coco::testing::Tensor;

namespace {

/// The operators image-to-image networks are made of.
const std::vector<std::string> kOperators = {"Add",
                                             "BatchNormalization",
                                             "Cast",
                                             "Clip",
                                             "Concat",
                                             "Constant",
                                             "Conv",
                                             "ConvTranspose",
                                             "DequantizeLinear",
                                             "Div",
                                             "DepthToSpace",
                                             "Identity",
                                             "LeakyRelu",
                                             "Mul",
                                             "PRelu",
                                             "Pad",
                                             "QuantizeLinear",
                                             "Relu",
                                             "Resize",
                                             "Reshape",
                                             "Sigmoid",
                                             "Slice",
                                             "SpaceToDepth",
                                             "Split",
                                             "Sub",
                                             "Tanh",
                                             "Transpose",
                                             "Upsample"};

struct Exclusion {
  const char* name;
  const char* reason;
};

/// Tests of these operators that are outside what is imported. Each must be refused with an error.
constexpr Exclusion kExclusions[] = {
    {"node/test_add_uint8", "integer arithmetic at run time"},
    {"node/test_sub_uint8", "integer arithmetic at run time"},
    {"node/test_mul_uint8", "integer arithmetic at run time"},
    {"node/test_div_uint8", "integer arithmetic at run time"},
    {"node/test_clip_default_int8_inbounds_expanded", "integer arithmetic at run time"},
    {"node/test_batchnorm_epsilon_training_mode", "training mode"},
    {"node/test_batchnorm_example_training_mode", "training mode"},
    {"node/test_cast_BFLOAT16_to_FLOAT", "the test data stores bfloat16 as UINT16"},
    {"node/test_cast_FLOAT_to_BFLOAT16", "the test data stores bfloat16 as UINT16"},
    {"node/test_castlike_BFLOAT16_to_FLOAT_expanded", "the test data stores bfloat16 as UINT16"},
    {"node/test_castlike_FLOAT_to_BFLOAT16_expanded", "the test data stores bfloat16 as UINT16"},
    {"node/test_cast_FLOAT_to_STRING", "strings"},
    {"node/test_cast_STRING_to_FLOAT", "strings"},
    {"node/test_castlike_FLOAT_to_STRING_expanded", "strings"},
    {"node/test_castlike_STRING_to_FLOAT_expanded", "strings"},
    {"node/test_constant", "a model without inputs"},
    {"node/test_convtranspose_3d", "three-dimensional convolution"},
    {"node/test_identity_opt", "sequences and optionals"},
    {"node/test_identity_sequence", "sequences and optionals"},
    {"node/test_quantizelinear_axis", "zero points that differ along an axis, at run time"},
    {"node/test_resize_downsample_sizes_nearest_tf_half_pixel_for_nn", "coordinate mode of TensorFlow only"},
    {"node/test_resize_tf_crop_and_resize", "coordinate mode of TensorFlow only"},
    {"pytorch-converted/test_Conv3d", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_dilated", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_dilated_strided", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_groups", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_no_bias", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_stride", "three-dimensional convolution"},
    {"pytorch-converted/test_Conv3d_stride_padding", "three-dimensional convolution"},
};

const Exclusion* find_exclusion(const std::string& name) {
  for (const Exclusion& exclusion : kExclusions) {
    if (name == exclusion.name) return &exclusion;
  }
  return nullptr;
}

/// Operators whose meaning is the same in opsets 6 and 7, so that models of opset 6 can be read as opset 7.
bool runs_as_opset7(const BackendTest& test) {
  static const std::vector<std::string> kSame = {"Clip",     "Concat",    "Constant", "Conv", "ConvTranspose",
                                                 "Identity", "LeakyRelu", "Pad",      "Relu", "Reshape",
                                                 "Sigmoid",  "Slice",     "Split",    "Tanh", "Transpose"};
  return coco::testing::uses_only(test, kSame);
}

int opset_of(const BackendTest& test) {
  for (const auto& opset : test.model.opset_import()) {
    if (opset.domain().empty()) return static_cast<int>(opset.version());
  }
  return 0;
}

Result<std::vector<Tensor>> run_model(std::shared_ptr<const Model> model, const DataSet& data, ExecutorKind executor) {
  std::vector<Shape> shapes;
  std::vector<TensorView> inputs;
  for (const Tensor& input : data.inputs) {
    shapes.push_back(input.shape);
    inputs.push_back(input.view());
  }
  SessionOptions options;
  options.executor = executor;
  options.threads = 2;
  COCO_ASSIGN(auto session, Session::create(std::move(model), shapes, options));
  std::vector<Tensor> outputs;
  for (const TensorInfo& info : session->outputs()) {
    outputs.push_back(coco::testing::make_tensor(info.type, info.shape));
  }
  std::vector<MutableTensorView> views;
  for (Tensor& output : outputs) views.push_back(output.mutable_view());
  COCO_TRY(session->run(inputs, views));
  return outputs;
}

struct Counts {
  int passed = 0, excluded = 0, line = 0;
  std::map<std::string, int> reasons;
  std::vector<std::string> failures;
};

/// One data set under both executors, optimised and not. Empty: right. `line` says whether the line executor took it.
std::string check_data_set(const BackendTest& test, int set, bool& line) {
  onnx::ModelProto proto;
  auto data = coco::testing::read_data_set(test, set, proto);
  if (!data.ok()) return "data: " + data.error().message;
  if (opset_of(test) == 6) {
    for (auto& opset : *proto.mutable_opset_import()) opset.set_version(7);
  }
  const std::string bytes = proto.SerializeAsString();
  for (bool optimize : {false, true}) {
    CompileOptions options;
    options.optimize = optimize;
    const std::string how = optimize ? "optimised: " : "as imported: ";
    auto program = compiler::compile_program(coco::testing::as_bytes(bytes), options);
    if (!program.ok()) return how + program.error().message;
    auto model = Model::from_program(std::move(program).value());
    if (!model.ok()) return how + model.error().message;
    for (ExecutorKind executor : {ExecutorKind::kAuto, ExecutorKind::kLayer, ExecutorKind::kLine}) {
      auto outputs = run_model(*model, *data, executor);
      if (executor == ExecutorKind::kLine) {
        line = outputs.ok();
        if (!outputs.ok() && outputs.error().code == ErrorCode::kUnsupported) continue;
      }
      if (!outputs.ok()) return how + outputs.error().message;
      for (size_t i = 0; i < data->outputs.size(); ++i) {
        const std::string wrong = coco::testing::difference((*outputs)[i], data->outputs[i]);
        if (!wrong.empty()) return how + "executor " + std::to_string(static_cast<int>(executor)) + ": " + wrong;
      }
    }
  }
  return "";
}

/// An excluded test's model must be refused, by the reader of its data or by the compiler.
bool is_refused(const BackendTest& test) {
  onnx::ModelProto proto;
  if (!coco::testing::read_data_set(test, 0, proto).ok()) return true;
  const std::string bytes = proto.SerializeAsString();
  return !compiler::compile_program(coco::testing::as_bytes(bytes), {}).ok();
}

void run_suite(const std::string& suite, Counts& counts) {
  for (const BackendTest& test : coco::testing::read_suite(suite)) {
    if (!coco::testing::uses_only(test, kOperators)) continue;
    if (opset_of(test) < 7 && !(opset_of(test) == 6 && runs_as_opset7(test))) {
      ++counts.excluded;
      ++counts.reasons["older than opset 7, with operators whose meaning changed since"];
      continue;
    }
    if (opset_of(test) > 17) {
      ++counts.excluded;
      ++counts.reasons["newer than opset 17"];
      continue;
    }
    if (const Exclusion* exclusion = find_exclusion(test.name)) {
      ++counts.excluded;
      ++counts.reasons[exclusion->reason];
      std::printf("  excluded %s: %s\n", test.name.c_str(), exclusion->reason);
      if (!is_refused(test)) counts.failures.push_back(test.name + ": excluded, but it compiles");
      continue;
    }
    std::string wrong;
    bool line = false;
    const int sets = coco::testing::data_set_count(test);
    for (int set = 0; set < sets && wrong.empty(); ++set) wrong = check_data_set(test, set, line);
    if (sets == 0) wrong = "has no data";
    if (wrong.empty()) {
      ++counts.passed;
      counts.line += line ? 1 : 0;
    } else {
      counts.failures.push_back(test.name + ": " + wrong);
    }
  }
}

void report(const char* title, const Counts& counts) {
  std::printf("%s: %d passed (%d of them also line by line), %d excluded, %zu failed\n", title, counts.passed,
              counts.line, counts.excluded, counts.failures.size());
  for (const auto& [reason, count] : counts.reasons) std::printf("  %d excluded: %s\n", count, reason.c_str());
  for (const std::string& failure : counts.failures) std::printf("  FAILED %s\n", failure.c_str());
}

}  // namespace

TEST_CASE("ONNX backend node tests") {
  if (coco::testing::backend_data_folder().empty()) {
    WARN("the ONNX backend tests are not installed (package libonnx-testdata); skipped");
    return;
  }
  Counts counts;
  run_suite("node", counts);
  report("ONNX backend node tests", counts);
  CHECK(counts.failures.empty());
  CHECK(counts.passed >= 60);  // later editions of the tests have most models in opsets to come
  CHECK(counts.passed + counts.reasons["newer than opset 17"] >= 100);
}

TEST_CASE("ONNX backend tests converted from PyTorch") {
  if (coco::testing::backend_data_folder().empty()) {
    WARN("the ONNX backend tests are not installed (package libonnx-testdata); skipped");
    return;
  }
  Counts counts;
  for (const char* suite : {"simple", "pytorch-converted", "pytorch-operator"}) run_suite(suite, counts);
  report("ONNX backend tests converted from PyTorch", counts);
  CHECK(counts.failures.empty());
  CHECK(counts.passed >= 30);
}
