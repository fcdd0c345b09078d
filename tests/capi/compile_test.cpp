// Compiling ONNX models through the C API: its options do what they do in C++, and wrong ones are errors.
#include "coco/compile.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include "tests/base/temp_dir.h"
#include "tests/capi/support.h"

using namespace coco;
using namespace coco::testing;

namespace {

constexpr coco_error kBad = COCO_ERROR_INVALID_ARGUMENT;
constexpr int kSide = 16;

std::string network_path() {
  const char* root = std::getenv("COCO_SOURCE_DIR");
  return std::string(root != nullptr ? root : ".") + "/engine/models/f32/sr2x-s.onnx";
}

const std::vector<uint8_t>& network() {
  static const std::vector<uint8_t> bytes = [] {
    std::ifstream file(network_path(), std::ios::binary);
    return std::vector<uint8_t>{std::istreambuf_iterator<char>(file), {}};
  }();
  return bytes;
}

/// Waves, and what they are at twice the size.
std::vector<CalibrationSample> waves(int count) {
  std::vector<CalibrationSample> samples;
  for (int n = 0; n < count; ++n) {
    const auto wave = [n](int side) {
      FloatTensor tensor{{1, 1, side, side}, {}};
      for (int i = 0; i < side * side; ++i) {
        const double x = (i % side + 0.5) / side, y = (i / side + 0.5) / side;
        tensor.data.push_back(static_cast<float>(0.5 + 0.4 * std::sin(9 * x + n) * std::cos((7 + n) * y)));
      }
      return tensor;
    };
    samples.push_back({{wave(kSide)}, wave(2 * kSide)});
  }
  return samples;
}

/// The samples as C sees them.
struct CSamples {
  explicit CSamples(const std::vector<CalibrationSample>& samples) {
    for (const CalibrationSample& sample : samples) {
      inputs.push_back(tensor_of(sample.inputs[0]));
      targets.push_back(tensor_of(sample.target));
    }
    for (size_t i = 0; i < inputs.size(); ++i) rows.push_back({&inputs[i], 1, &targets[i]});
  }
  static coco_float_tensor tensor_of(const FloatTensor& tensor) {
    coco_float_tensor result{tensor.data.data(), {4, {}}};
    std::copy(tensor.shape.dims().begin(), tensor.shape.dims().end(), result.shape.dims);
    return result;
  }
  std::vector<coco_float_tensor> inputs, targets;
  std::vector<coco_calibration_sample> rows;
};

coco_compile_options integers(const CSamples& samples) {
  auto options = sized<coco_compile_options>();
  options.precision = COCO_PRECISION_INT8;
  options.samples = samples.rows.data(), options.sample_count = samples.rows.size();
  return options;
}

Handle<coco_model> compiled(const coco_compile_options* options, coco_compile_report* report = nullptr) {
  coco_model* model = nullptr;
  require_ok(coco_model_compile(network().data(), network().size(), options, &model, report));
  return Handle<coco_model>(model);
}

std::string sha256_of(const coco_model* model) {
  auto info = sized<coco_model_info>();
  require_ok(coco_model_get_info(model, &info));
  return info.sha256;
}

std::string sha256_of(const CompileOptions& options) {
  return Model::from_bytes(compile_onnx_bytes(network(), options).value()).value()->sha256();
}

void check_refused(const coco_compile_options& options, coco_error expected, const std::vector<std::string>& parts) {
  TempDir folder;
  const std::string file = folder / "m.coco";
  coco_model* model = nullptr;
  check_error(coco_model_compile(network().data(), network().size(), &options, &model, nullptr), expected, parts);
  CHECK(model == nullptr);
  check_error(coco_compile_file_with(network_path().c_str(), file.c_str(), &options, nullptr), expected, parts);
  CHECK(folder.entries() == 0);
}

}  // namespace

TEST_CASE("integers through C are those of C++", "[capi]") {
  if (coco_has_compiler() == 0) return;
  const std::vector<CalibrationSample> samples = waves(8);
  const CSamples c_samples(samples);
  coco_compile_options options = integers(c_samples);
  options.calibration = COCO_CALIBRATION_PERCENTILE;
  options.percentile = 99.5;
  options.max_loss_db = 30;
  auto report = sized<coco_compile_report>();
  const auto model = compiled(&options, &report);

  QuantizeReport expected;
  CompileOptions same;
  same.precision = Precision::kInt8;
  same.quantize.method = CalibrationMethod::kPercentile;
  same.quantize.percentile = 99.5;
  same.quantize.max_loss_db = 30;
  same.quantize.samples = samples;
  same.report = &expected;
  CHECK(sha256_of(model.get()) == sha256_of(same));
  CHECK(report.struct_size == sizeof report);
  CHECK(report.layers == expected.layers.size());
  CHECK(report.integer_layers == 6);
  CHECK(report.samples == 8);
  CHECK(report.held_out == expected.held_out);
  CHECK(report.held_out == 2);
  CHECK(report.snr_db == expected.snr_db);
  CHECK(report.cosine == expected.cosine);
  CHECK(report.has_targets == 1);
  CHECK(report.loss_db == expected.loss_db);

  TempDir folder;
  const std::string file = folder / "m.coco";
  require_ok(coco_compile_file_with(network_path().c_str(), file.c_str(), &options, nullptr));
  coco_model* loaded = nullptr;
  require_ok(coco_model_load(file.c_str(), &loaded));
  CHECK(sha256_of(Handle<coco_model>(loaded).get()) == sha256_of(model.get()));
}

TEST_CASE("without options C compiles as C++ does", "[capi]") {
  if (coco_has_compiler() == 0) return;
  const auto defaults = sized<coco_compile_options>();
  auto report = sized<coco_compile_report>();
  report.layers = 9;
  CHECK(sha256_of(compiled(nullptr, &report).get()) == sha256_of(CompileOptions{}));
  CHECK(report.layers == 0);
  CHECK(sha256_of(compiled(&defaults).get()) == sha256_of(CompileOptions{}));
}

TEST_CASE("precision, graph and shapes are chosen in C", "[capi]") {
  if (coco_has_compiler() == 0) return;
  auto options = sized<coco_compile_options>();
  CompileOptions same;
  options.precision = COCO_PRECISION_F16;
  same.precision = Precision::kF16;
  CHECK(sha256_of(compiled(&options).get()) == sha256_of(same));
  options.precision = COCO_PRECISION_F32;
  options.keep_graph = 1;
  same.precision = Precision::kF32;
  same.optimize = false;
  CHECK(sha256_of(compiled(&options).get()) == sha256_of(same));
  const coco_input_shape pinned{"luma", {4, {1, 1, 20, COCO_DYNAMIC}}};
  options.input_shapes = &pinned, options.input_shape_count = 1;
  const auto model = compiled(&options);
  auto input = sized<coco_tensor_info>();
  require_ok(coco_model_get_input(model.get(), 0, &input));
  CHECK(input.dims[2] == 20);
  CHECK(input.dims[3] == COCO_DYNAMIC);
}

TEST_CASE("options that do not fit are errors that name them", "[capi]") {
  if (coco_has_compiler() == 0) return;
  const std::vector<CalibrationSample> source = waves(1);
  const CSamples samples(source);
  auto options = sized<coco_compile_options>();
  options.precision = COCO_PRECISION_INT8;
  check_refused(options, kBad, {"calibration data"});
  options.precision = 4;
  check_refused(options, kBad, {"4 is no coco_precision"});
  options = integers(samples);
  options.calibration = -1;
  check_refused(options, kBad, {"-1 is no coco_calibration"});
  options = integers(samples);
  for (const double percentile : {20.0, 101.0, -1.0, std::nan("")}) {
    options.percentile = percentile;
    check_refused(options, kBad, {"percentile", "50", "100"});
  }
  options = integers(samples);
  options.max_loss_db = -1;
  check_refused(options, kBad, {"max_loss_db"});
  options = integers(samples);
  options.samples = nullptr;
  check_refused(options, kBad, {"samples is NULL"});
  options = sized<coco_compile_options>();
  options.input_shape_count = 1;
  check_refused(options, kBad, {"input_shapes is NULL"});
  coco_input_shape pinned{nullptr, {4, {1, 1, 20, 20}}};
  options.input_shapes = &pinned;
  check_refused(options, kBad, {"input shape 0", "NULL"});
  pinned = {"luma", {9, {}}};
  check_refused(options, kBad, {"input shape 0", "rank 9"});
  pinned = {"chroma", {4, {1, 1, 20, 20}}};
  check_refused(options, kBad, {"chroma"});
  options = sized<coco_compile_options>();
  options.struct_size = 12;
  check_refused(options, kBad, {"coco_compile_options", "struct_size 12"});
}

TEST_CASE("samples that do not fit are errors that name them", "[capi]") {
  if (coco_has_compiler() == 0) return;
  const std::vector<CalibrationSample> source = waves(2);
  CSamples samples(source);
  coco_compile_options options = integers(samples);
  samples.inputs[1].data = nullptr;
  check_refused(options, kBad, {"input 0 of sample 1", "NULL"});
  samples = CSamples(source);
  options = integers(samples);
  samples.targets[0].shape.dims[2] = COCO_DYNAMIC;
  check_refused(options, kBad, {"the target of sample 0", "every dimension"});
  samples = CSamples(source);
  options = integers(samples);
  samples.rows[1].inputs = nullptr;
  check_refused(options, kBad, {"sample 1", "NULL"});
  samples = CSamples(source);
  options = integers(samples);
  samples.rows[1].input_count = 0;
  check_refused(options, kBad, {"input"});
}

TEST_CASE("what compiling writes to is checked before it begins", "[capi]") {
  coco_model* model = nullptr;
  coco_compile_report report{};
  check_error(coco_model_compile(nullptr, 9, nullptr, &model, nullptr), kBad, {"data"});
  check_error(coco_model_compile(network().data(), network().size(), nullptr, nullptr, nullptr), kBad, {"NULL"});
  check_error(coco_model_compile(network().data(), network().size(), nullptr, &model, &report), kBad,
              {"coco_compile_report", "struct_size"});
  check_error(coco_compile_file_with(nullptr, "m.coco", nullptr, nullptr), kBad, {"onnx_path"});
  check_error(coco_compile_file_with("m.onnx", nullptr, nullptr, nullptr), kBad, {"coco_path"});
}
