// Every way to call a C function wrongly is an error with a text, never a crash.
#include <cstddef>

#include "base/file.h"
#include "tests/base/temp_dir.h"
#include "tests/capi/support.h"

using namespace coco;
using namespace coco::testing;

namespace {

constexpr coco_error kBad = COCO_ERROR_INVALID_ARGUMENT;
constexpr coco_shape kShape{4, {1, 1, 4, 6}};

/// A pointer that a failing call must set to NULL.
template <typename T>
T* untouched() {
  alignas(std::max_align_t) static char somewhere;
  return reinterpret_cast<T*>(&somewhere);
}

void check_load(coco_error expected, const std::string& path, const std::vector<std::string>& parts) {
  auto* model = untouched<coco_model>();
  check_error(coco_model_load(path.c_str(), &model), expected, parts);
  CHECK(model == nullptr);
}

coco_image_job image_job() {
  auto job = sized<coco_image_job>();
  job.in_width = 6, job.in_height = 4, job.out_width = 12, job.out_height = 8;
  return job;
}

coco_upscaler_config upscaler_config() {
  auto config = sized<coco_upscaler_config>();
  config.in_width = 6, config.in_height = 4, config.out_width = 12, config.out_height = 8;
  return config;
}

}  // namespace

TEST_CASE("NULL is an error, and freeing it none", "[capi]") {
  const auto model = small_model();
  const auto session = session_of(model.get(), kShape);
  coco_model* no_model = nullptr;
  coco_session* no_session = nullptr;
  const std::vector<uint8_t> bytes = small_bytes();
  check_error(coco_model_load(nullptr, &no_model), kBad, {"path"});
  check_error(coco_model_load("m.coco", nullptr), kBad, {"NULL"});
  check_error(coco_model_from_memory(nullptr, 9, &no_model), kBad, {"data"});
  check_error(coco_model_from_memory(bytes.data(), bytes.size(), nullptr), kBad, {"NULL"});
  check_error(coco_model_load_shipped(nullptr, &no_model), kBad, {"name"});
  check_error(coco_compile_file(nullptr, "m.coco"), kBad, {"onnx_path"});
  check_error(coco_compile_file("m.onnx", nullptr), kBad, {"coco_path"});
  auto info = sized<coco_model_info>();
  auto tensor = sized<coco_tensor_info>();
  auto stats = sized<coco_session_stats>();
  check_error(coco_model_get_info(nullptr, &info), kBad, {"model"});
  check_error(coco_model_get_info(model.get(), nullptr), kBad, {"coco_model_info"});
  check_error(coco_model_get_input(nullptr, 0, &tensor), kBad, {"model"});
  check_error(coco_model_get_output(nullptr, 0, &tensor), kBad, {"model"});
  check_error(coco_model_get_input(model.get(), 0, nullptr), kBad, {"coco_tensor_info"});
  check_error(coco_session_create(nullptr, &kShape, 1, nullptr, &no_session), kBad, {"model"});
  check_error(coco_session_create(model.get(), nullptr, 1, nullptr, &no_session), kBad, {"shapes"});
  check_error(coco_session_create(model.get(), &kShape, 1, nullptr, nullptr), kBad, {"NULL"});
  check_error(coco_session_get_input(nullptr, 0, &tensor), kBad, {"session"});
  check_error(coco_session_get_output(nullptr, 0, &tensor), kBad, {"session"});
  check_error(coco_session_get_stats(nullptr, &stats), kBad, {"session"});
  check_error(coco_session_get_stats(session.get(), nullptr), kBad, {"coco_session_stats"});
  check_error(coco_session_run(nullptr, nullptr, 0, nullptr, 0), kBad, {"session"});
  check_error(coco_session_run(session.get(), nullptr, 1, nullptr, 1), kBad, {"inputs is NULL"});
  check_error(coco_get_device_info(nullptr), kBad, {"coco_device_info"});
  CHECK(coco_model_input_count(nullptr) + coco_model_output_count(nullptr) == 0);
  CHECK(coco_session_input_count(nullptr) + coco_session_output_count(nullptr) == 0);
  coco_model_free(nullptr);
  coco_session_free(nullptr);
  coco_image_session_free(nullptr);
  coco_upscaler_free(nullptr);
}

TEST_CASE("files that are no models are refused by name", "[capi]") {
  TempDir folder;
  auto bytes = small_bytes();
  const auto put = [&](const std::string& name, const std::vector<uint8_t>& data) {
    REQUIRE(write_file_atomically(folder / name, data).ok());
    return folder / name;
  };
  check_load(COCO_ERROR_NOT_FOUND, folder / "absent.coco", {"absent.coco"});
  check_load(kBad, folder.path.string(), {folder.path.string()});
  check_load(COCO_ERROR_INVALID_DATA, put("half.coco", {bytes.begin(), bytes.begin() + bytes.size() / 2}),
             {"half.coco", "truncated"});
  bytes[bytes.size() - 5] ^= 1;
  check_load(COCO_ERROR_INVALID_DATA, put("flipped.coco", bytes), {"flipped.coco"});
  coco_model* model = nullptr;
  check_error(coco_model_from_memory(bytes.data(), bytes.size(), &model), COCO_ERROR_INVALID_DATA, {});
  check_error(coco_model_from_memory(bytes.data(), 4, &model), COCO_ERROR_INVALID_DATA, {});
  bytes[4] = 250;
  check_load(COCO_ERROR_UNSUPPORTED, put("future.coco", bytes), {"future.coco"});
  const coco_error no_model = coco_has_compiler() ? COCO_ERROR_INVALID_DATA : COCO_ERROR_UNAVAILABLE;
  check_load(no_model, put("text.onnx", {'h', 'e', 'l', 'l', 'o'}), {"text.onnx"});
  check_error(coco_model_from_memory("hello", 5, &model), no_model, {});
  check_error(coco_model_from_memory("", 0, &model), no_model, {});
  check_error(coco_compile_file((folder / "text.onnx").c_str(), (folder / "new.coco").c_str()), no_model, {});
  CHECK_FALSE(std::filesystem::exists(folder / "new.coco"));
}

TEST_CASE("shapes that do not fit the model are refused when planning", "[capi]") {
  const auto model = small_model();
  const auto refused = [&](const coco_shape& shape, const std::vector<std::string>& parts) {
    auto* session = untouched<coco_session>();
    check_error(coco_session_create(model.get(), &shape, 1, nullptr, &session), kBad, parts);
    CHECK(session == nullptr);
  };
  refused({3, {1, 4, 6}}, {"'x0'", "[1, 4, 6]"});
  refused({4, {1, 2, 4, 6}}, {"'x0'", "[1, 2, 4, 6]"});
  refused({4, {1, 1, COCO_DYNAMIC, 6}}, {"'x0'"});
  refused({4, {1, 1, -7, 6}}, {"'x0'"});
  refused({9, {1}}, {"rank 9"});
  refused({-1, {1}}, {"rank -1"});
  coco_session* session = nullptr;
  const coco_shape huge{4, {1, 1, INT64_MAX, INT64_MAX}};
  CHECK(coco_session_create(model.get(), &huge, 1, nullptr, &session) != COCO_OK);
  const coco_shape two[] = {kShape, kShape};
  check_error(coco_session_create(model.get(), two, 2, nullptr, &session), kBad, {"1 inputs", "2 shapes"});
}

TEST_CASE("buffers that do not fit the plan are refused by name, and nothing is written", "[capi]") {
  const auto model = small_model();
  const auto session = session_of(model.get(), kShape);
  const std::vector<float> x(4 * 6 + 1);
  std::vector<float> y(8 * 12 + 1, -99.0f);
  const coco_const_buffer in{x.data(), 4 * 6 * sizeof(float)};
  const coco_buffer out{y.data(), 8 * 12 * sizeof(float)};
  const auto refused = [&](coco_const_buffer input, coco_buffer output, const std::vector<std::string>& parts) {
    check_error(coco_session_run(session.get(), &input, 1, &output, 1), kBad, parts);
  };
  refused({in.data, in.bytes - 1}, out, {"input 0", "'x0'", "95", "96", "[1, 1, 4, 6]"});
  refused({in.data, 0}, out, {"input 0"});
  refused({nullptr, in.bytes}, out, {"input 0", "no data"});
  refused({reinterpret_cast<const char*>(x.data()) + 1, in.bytes}, out, {"input 0", "aligned"});
  refused(in, {out.data, out.bytes + 4}, {"output 0", "388", "384", "[1, 1, 8, 12]"});
  refused(in, {nullptr, out.bytes}, {"output 0", "no data"});
  refused(in, {reinterpret_cast<char*>(y.data()) + 2, out.bytes}, {"output 0", "aligned"});
  check_error(coco_session_run(session.get(), &in, 0, &out, 1), kBad, {"1 inputs", "0 given"});
  check_error(coco_session_run(session.get(), &in, 1, &out, 2), kBad, {"1 outputs", "2 given"});
  CHECK(y == std::vector<float>(y.size(), -99.0f));
  auto tensor = sized<coco_tensor_info>();
  check_error(coco_session_get_input(session.get(), 1, &tensor), kBad, {"no 1 among 1 inputs"});
  check_error(coco_model_get_output(model.get(), 7, &tensor), kBad, {"no 7 among 1 outputs"});
  require_ok(coco_session_run(session.get(), &in, 1, &out, 1));
}

TEST_CASE("structures carry their size: forgotten, too small, from a later version", "[capi]") {
  const auto model = small_model();
  coco_session* session = nullptr;
  coco_session_options options{};
  check_error(coco_session_create(model.get(), &kShape, 1, &options, &session), kBad,
              {"coco_session_options", "struct_size 0", "sizeof"});
  options.struct_size = sizeof options - 4;
  check_error(coco_session_create(model.get(), &kShape, 1, &options, &session), kBad, {"struct_size"});
  options.struct_size = SIZE_MAX;
  check_error(coco_session_create(model.get(), &kShape, 1, &options, &session), kBad, {"struct_size"});
  struct Later {
    coco_session_options known;
    int64_t added;
  } later{};
  later.known.struct_size = sizeof later;
  require_ok(coco_session_create(model.get(), &kShape, 1, &later.known, &session));
  coco_session_free(session);
  later.added = 1;
  check_error(coco_session_create(model.get(), &kShape, 1, &later.known, &session), COCO_ERROR_UNSUPPORTED,
              {"does not know"});
  coco_tensor_info tensor{};
  check_error(coco_model_get_input(model.get(), 0, &tensor), kBad, {"coco_tensor_info", "struct_size"});
  struct LaterInfo {
    coco_tensor_info known;
    int64_t added;
  } later_info{{}, -5};
  later_info.known.struct_size = sizeof later_info;
  require_ok(coco_model_get_input(model.get(), 0, &later_info.known));
  CHECK(later_info.known.struct_size == sizeof later_info);
  CHECK(later_info.known.rank == 4);
  CHECK(later_info.added == -5);
}

TEST_CASE("options out of range are refused by name", "[capi]") {
  const auto model = small_model();
  coco_session* session = nullptr;
  const auto refused = [&](auto change, coco_error expected, const std::vector<std::string>& parts) {
    auto options = sized<coco_session_options>();
    change(options);
    check_error(coco_session_create(model.get(), &kShape, 1, &options, &session), expected, parts);
  };
  refused([](auto& o) { o.threads = -1; }, kBad, {"threads"});
  refused([](auto& o) { o.strip_width = -1; }, kBad, {"strip_width"});
  refused([](auto& o) { o.executor = 3; }, kBad, {"3 is no coco_executor"});
  refused([](auto& o) { o.executor = -1; }, kBad, {"-1 is no coco_executor"});
  refused([](auto& o) { o.reserved = 1; }, COCO_ERROR_UNSUPPORTED, {"reserved"});
}

TEST_CASE("image jobs and planes that do not fit are refused", "[capi]") {
  const auto model = small_model();
  coco_image_session* session = nullptr;
  const auto refused = [&](auto change, const coco_model* network, const std::vector<std::string>& parts) {
    coco_image_job job = image_job();
    change(job);
    check_error(coco_image_session_create(network, &job, nullptr, &session), kBad, parts);
  };
  check_error(coco_image_session_create(model.get(), nullptr, nullptr, &session), kBad, {"coco_image_job is NULL"});
  refused([](auto& j) { j.struct_size = 0; }, model.get(), {"coco_image_job", "struct_size"});
  refused([](auto& j) { j.in_width = 0; }, model.get(), {"0"});
  refused([](auto& j) { j.out_height = 1 << 20; }, model.get(), {"1048576"});
  refused([](auto& j) { j.in_type = 9; }, model.get(), {"9 is no coco_sample_type"});
  refused([](auto& j) { j.filter = 2; }, model.get(), {"2 is no coco_filter"});
  refused([](auto& j) { j.repeats = 5; }, model.get(), {"5"});
  refused([](auto& j) { j.repeats = -1; }, model.get(), {"-1"});
  refused([](auto& j) { j.repeats = 1; }, nullptr, {"repeats"});

  coco_image_job job = image_job();
  job.out_type = COCO_SAMPLE_U16_LSB10;
  require_ok(coco_image_session_create(model.get(), &job, nullptr, &session));
  const Handle<coco_image_session> owner(session);
  const std::vector<uint8_t> in(6 * 4);
  std::vector<uint16_t> out(12 * 8 + 1, 0xabcd);
  auto* odd = reinterpret_cast<char*>(out.data()) + 1;
  check_error(coco_image_session_run(nullptr, in.data(), 6, out.data(), 24), kBad, {"session"});
  check_error(coco_image_session_run(session, nullptr, 6, out.data(), 24), kBad, {"input plane is NULL"});
  check_error(coco_image_session_run(session, in.data(), 6, nullptr, 24), kBad, {"output plane is NULL"});
  check_error(coco_image_session_run(session, in.data(), 5, out.data(), 24), kBad, {"input", "stride of 5", "6"});
  check_error(coco_image_session_run(session, in.data(), 6, out.data(), -22), kBad, {"output", "stride of -22", "24"});
  check_error(coco_image_session_run(session, in.data(), PTRDIFF_MIN, odd, 24), kBad, {});
  check_error(coco_image_session_run(session, in.data(), 6, odd, 24), kBad, {"output", "aligned"});
  check_error(coco_image_session_run(session, in.data(), 6, out.data(), 25), kBad, {"output", "aligned"});
  check_error(coco_image_session_get_stats(nullptr, nullptr), kBad, {"session"});
  CHECK(out == std::vector<uint16_t>(out.size(), 0xabcd));
  require_ok(coco_image_session_run(session, in.data(), 6, out.data(), 24));
}

TEST_CASE("upscaler configurations and frames that do not fit are refused", "[capi]") {
  const auto model = small_model();
  coco_upscaler* upscaler = nullptr;
  const auto refused = [&](auto change, const std::vector<std::string>& parts) {
    coco_upscaler_config config = upscaler_config();
    change(config);
    check_error(coco_upscaler_create(model.get(), &config, nullptr, &upscaler), kBad, parts);
  };
  check_error(coco_upscaler_create(model.get(), nullptr, nullptr, &upscaler), kBad, {"coco_upscaler_config is NULL"});
  refused([](auto& c) { c.struct_size = 8; }, {"coco_upscaler_config", "struct_size 8"});
  refused([](auto& c) { c.in_height = 0; }, {"6x0"});
  refused([](auto& c) { c.out_width = 16385; }, {"16385"});
  refused([](auto& c) { c.format = 5; }, {"5 is no coco_pixel_format"});
  refused([](auto& c) { c.chroma_site = -1; }, {"-1 is no coco_chroma_site"});
  refused([](auto& c) { c.filter = 7; }, {"7 is no coco_filter"});
  refused([](auto& c) { c.tuning = 3; }, {"3 is no coco_tuning"});

  coco_upscaler_config config = upscaler_config();
  config.format = COCO_NV12;
  require_ok(coco_upscaler_create(model.get(), &config, nullptr, &upscaler));
  const Handle<coco_upscaler> owner(upscaler);
  const std::vector<uint8_t> bytes(6 * 6);
  std::vector<uint8_t> result(12 * 12);
  const void* in[] = {bytes.data(), bytes.data() + 24};
  void* out[] = {result.data(), result.data() + 96};
  const ptrdiff_t in_strides[] = {6, 6}, out_strides[] = {12, 12}, short_strides[] = {12, 11};
  const void* half[] = {bytes.data(), nullptr};
  check_error(coco_upscaler_process(nullptr, in, in_strides, out, out_strides), kBad, {"upscaler"});
  check_error(coco_upscaler_process(upscaler, nullptr, in_strides, out, out_strides), kBad, {"in is NULL"});
  check_error(coco_upscaler_process(upscaler, in, nullptr, out, out_strides), kBad, {"in_strides"});
  check_error(coco_upscaler_process(upscaler, in, in_strides, nullptr, out_strides), kBad, {"out is NULL"});
  check_error(coco_upscaler_process(upscaler, in, in_strides, out, nullptr), kBad, {"out_strides"});
  check_error(coco_upscaler_process(upscaler, half, in_strides, out, out_strides), kBad, {"input", "plane 1"});
  check_error(coco_upscaler_process(upscaler, in, in_strides, out, short_strides), kBad, {"output", "plane 1", "11"});
  check_error(coco_upscaler_get_stats(nullptr, nullptr), kBad, {"upscaler"});
  require_ok(coco_upscaler_process(upscaler, in, in_strides, out, out_strides));
}
