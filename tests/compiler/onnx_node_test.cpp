// The ONNX project's own backend tests for the operators the importer knows.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "catch.h"
#include "coco/session.h"
#include "compiler/compile_program.h"
#include "compiler/onnx/import_table.h"
#include "compiler/onnx_backend.h"
#include "compiler/onnx_builder.h"

using namespace coco;
using coco::testing::BackendTest;
using coco::testing::DataSet;
using coco::testing::Tensor;

namespace {

/// Every operator of the import table.
std::vector<std::string> known_operators() {
  std::vector<std::string> names;
  for (const compiler::ImportRow& row : compiler::import_rows()) names.emplace_back(row.op);
  return names;
}

struct Exclusion {
  const char* name;
  const char* reason;
  bool compiles = false;
};

constexpr const char* kStoredBfloat = "the test data stores bfloat16 as UINT16";

/// Tests of these operators that are outside what is imported. Each must be refused with an error, unless its model
/// says something else than its test means.
constexpr Exclusion kExclusions[] = {
    {"node/test_batchnorm_epsilon_training_mode", "training mode"},
    {"node/test_batchnorm_example_training_mode", "training mode"},
    {"node/test_training_dropout", "training mode"},
    {"node/test_training_dropout_default", "training mode"},
    {"node/test_training_dropout_default_mask", "training mode"},
    {"node/test_training_dropout_mask", "training mode"},
    {"node/test_training_dropout_zero_ratio", "training mode"},
    {"node/test_training_dropout_zero_ratio_mask", "training mode"},
    {"node/test_cast_BFLOAT16_to_FLOAT", kStoredBfloat, true},
    {"node/test_cast_FLOAT_to_BFLOAT16", kStoredBfloat, true},
    {"node/test_castlike_BFLOAT16_to_FLOAT_expanded", kStoredBfloat, true},
    {"node/test_castlike_FLOAT_to_BFLOAT16_expanded", kStoredBfloat, true},
    {"node/test_cast_FLOAT_to_STRING", "strings"},
    {"node/test_cast_STRING_to_FLOAT", "strings"},
    {"node/test_castlike_FLOAT_to_STRING_expanded", "strings"},
    {"node/test_castlike_STRING_to_FLOAT_expanded", "strings"},
    {"node/test_convtranspose_3d", "three-dimensional windows"},
    {"node/test_averagepool_3d_default", "three-dimensional windows"},
    {"node/test_maxpool_3d_default", "three-dimensional windows"},
    {"node/test_maxpool_with_argmax_2d_precomputed_pads", "indices of MaxPool"},
    {"node/test_maxpool_with_argmax_2d_precomputed_strides", "indices of MaxPool"},
    {"node/test_identity_opt", "sequences and optionals"},
    {"node/test_identity_sequence", "sequences and optionals"},
    {"node/test_if_opt", "sequences and optionals"},
    {"node/test_if_seq", "sequences and optionals"},
    {"node/test_loop13_seq", "sequences and optionals"},
    {"node/test_loop16_seq_none", "sequences and optionals"},
    {"node/test_quantizelinear_axis", "zero points that differ along an axis, at run time"},
    {"node/test_resize_downsample_sizes_nearest_tf_half_pixel_for_nn", "coordinate mode of TensorFlow only"},
    {"node/test_resize_tf_crop_and_resize", "coordinate mode of TensorFlow only"},
    {"pytorch-converted/test_AvgPool3d", "three-dimensional windows"},
    {"pytorch-converted/test_AvgPool3d_stride", "three-dimensional windows"},
    {"pytorch-converted/test_AvgPool3d_stride1_pad0_gpu_input", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_dilated", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_dilated_strided", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_groups", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_no_bias", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_stride", "three-dimensional windows"},
    {"pytorch-converted/test_Conv3d_stride_padding", "three-dimensional windows"},
    {"pytorch-converted/test_MaxPool3d", "three-dimensional windows"},
    {"pytorch-converted/test_MaxPool3d_stride", "three-dimensional windows"},
    {"pytorch-converted/test_MaxPool3d_stride_padding", "three-dimensional windows"},
};

const Exclusion* find_exclusion(const std::string& name) {
  for (const Exclusion& exclusion : kExclusions) {
    if (name == exclusion.name) return &exclusion;
  }
  return nullptr;
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

bool selects_boxes(const BackendTest& test) { return coco::testing::uses_only(test, {"NonMaxSuppression"}); }

/// The rows at the end that hold -1: the operator's result has no size of its own.
void drop_unused_rows(Tensor& boxes) {
  int64_t rows = boxes.shape[0];
  for (; rows > 0; --rows) {
    int64_t picture;
    std::memcpy(&picture, boxes.bytes.data() + (rows - 1) * 3 * sizeof(picture), sizeof(picture));
    if (picture >= 0) break;
  }
  boxes.shape[0] = rows;
  boxes.bytes.resize(static_cast<size_t>(rows) * 3 * sizeof(int64_t));
}

struct Counts {
  int passed = 0, excluded = 0, line = 0;
  size_t models = 0;                       ///< in the suites, of other operators, too
  std::map<std::string, int> by_operator;  ///< tests passed in which it occurs
  std::map<std::string, int> reasons;
  std::vector<std::string> failures;
};

/// One data set under both executors, optimised and not. Empty: right. `line` says whether the line executor took it.
std::string check_data_set(const BackendTest& test, int set, bool all_known, bool& line) {
  onnx::ModelProto proto;
  auto data = coco::testing::read_data_set(test, set, proto, all_known);
  if (!data.ok()) return "data: " + data.error().message;
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
        Tensor& output = (*outputs)[i];
        if (selects_boxes(test)) drop_unused_rows(output);
        const std::string wrong = coco::testing::difference(output, data->outputs[i]);
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
  const std::vector<std::string> operators = known_operators();
  const std::vector<BackendTest> tests = coco::testing::read_suite(suite);
  counts.models += tests.size();
  for (const BackendTest& test : tests) {
    if (!coco::testing::uses_only(test, operators)) continue;
    if (opset_of(test) < compiler::kMinOpset) {
      ++counts.excluded;
      ++counts.reasons["older than opset " + std::to_string(compiler::kMinOpset)];
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
      if (!exclusion->compiles && !is_refused(test))
        counts.failures.push_back(test.name + ": excluded, but it compiles");
      continue;
    }
    std::string wrong;
    bool line = false;
    const int sets = coco::testing::data_set_count(test);
    for (int set = 0; set < sets && wrong.empty(); ++set) {
      wrong = check_data_set(test, set, false, line);
      // Sizes computed from the values of its inputs.
      if (wrong.find("must be known when compiling") != std::string::npos)
        wrong = check_data_set(test, set, true, line);
    }
    if (sets == 0) wrong = "has no data";
    if (wrong.empty()) {
      ++counts.passed;
      counts.line += line ? 1 : 0;
      std::set<std::string> met;
      for (const auto& node : test.model.graph().node()) met.insert(node.op_type());
      for (const std::string& op : met) ++counts.by_operator[op];
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

/// Each suite is run once.
const Counts& node_counts() {
  static const Counts counts = [] {
    Counts made;
    run_suite("node", made);
    return made;
  }();
  return counts;
}
const Counts& converted_counts() {
  static const Counts counts = [] {
    Counts made;
    for (const char* suite : {"simple", "pytorch-converted", "pytorch-operator"}) run_suite(suite, made);
    return made;
  }();
  return counts;
}

bool has_data() {
  if (!coco::testing::backend_data_folder().empty()) return true;
  WARN("the ONNX backend tests are not installed (package libonnx-testdata); skipped");
  return false;
}

/// Models in the node suite of ONNX 1.12, whose counts are documented.
constexpr size_t kKnownEdition = 932;
constexpr const char* kTableBegin = "<!-- operators -->\n";
constexpr const char* kTableEnd = "<!-- /operators -->\n";

/// The import table with the tests that hold each operator.
std::string operator_table() {
  std::string text = "| operator | opsets | also on sizes | tests passed |\n|---|---|---|---|\n";
  for (const compiler::ImportRow& row : compiler::import_rows()) {
    const std::string name(row.op);
    int tests = 0;
    for (const Counts* counts : {&node_counts(), &converted_counts()}) {
      const auto it = counts->by_operator.find(name);
      tests += it != counts->by_operator.end() ? it->second : 0;
    }
    const char* sizes = row.import == nullptr ? "only" : row.evaluate != nullptr ? "yes" : "";
    text += "| " + name + " | " + std::to_string(row.min_opset) + "-" + std::to_string(row.max_opset) + " | " + sizes +
            " | " + std::to_string(tests) + " |\n";
  }
  return text;
}

}  // namespace

TEST_CASE("ONNX backend node tests") {
  if (!has_data()) return;
  const Counts& counts = node_counts();
  report("ONNX backend node tests", counts);
  CHECK(counts.failures.empty());
  // Later editions of the tests have most models in opsets to come.
  const auto newer = counts.reasons.find("newer than opset 17");
  CHECK(counts.passed >= 300);
  CHECK(counts.passed + (newer != counts.reasons.end() ? newer->second : 0) >= 640);
}

TEST_CASE("ONNX backend tests converted from PyTorch") {
  if (!has_data()) return;
  report("ONNX backend tests converted from PyTorch", converted_counts());
  CHECK(converted_counts().failures.empty());
  CHECK(converted_counts().passed >= 100);
}

// COCO_WRITE_OPERATORS=1 writes it anew.
TEST_CASE("the documented table of operators is that of the importer") {
  if (!has_data()) return;
  if (node_counts().models != kKnownEdition) {
    WARN("another edition of the ONNX backend tests; the documented counts are not compared");
    return;
  }
  const char* folder = std::getenv("COCO_SOURCE_DIR");
  const std::string path = std::string(folder != nullptr ? folder : ".") + "/docs/operators.md";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  std::string text = read.str();
  const size_t begin = text.find(kTableBegin), end = text.find(kTableEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const size_t first = begin + std::string_view(kTableBegin).size();
  const std::string table = operator_table();
  if (std::getenv("COCO_WRITE_OPERATORS") != nullptr) {
    std::ofstream(path) << text.replace(first, end - first, table);
    return;
  }
  CHECK(text.substr(first, end - first) == table);
}
