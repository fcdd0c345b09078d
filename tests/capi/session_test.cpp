#include "coco/session.h"

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <thread>

#include <cstddef>
#include <cstdio>
#include "runtime/allocation_counter.h"

#include "tests/capi/support.h"

using namespace coco;
using namespace coco::testing;

namespace {

constexpr coco_shape kShape{4, {1, 1, 9, 14}};

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 37 % 101) / 101.0f;
  return values;
}

/// What the C++ API makes of `x`.
std::vector<float> expected_output(const std::vector<float>& x) {
  const Shape shape{1, 1, 9, 14};
  auto session = Session::create(small_cpp_model(), {&shape, 1}, {}).value();
  std::vector<float> y(18 * 28);
  const TensorView in{DataType::kF32, shape, x.data()};
  const MutableTensorView out{DataType::kF32, {1, 1, 18, 28}, y.data()};
  REQUIRE(session->run({&in, 1}, {&out, 1}).ok());
  return y;
}

}  // namespace

TEST_CASE("a session makes the bytes the C++ API makes, on any number of threads", "[capi]") {
  const auto model = small_model();
  const std::vector<float> x = ramp(9 * 14), expected = expected_output(x);
  for (const coco_executor executor : {COCO_EXECUTOR_AUTO, COCO_EXECUTOR_LINE}) {
    for (const int threads : {0, 1, 3}) {
      auto options = sized<coco_session_options>();
      options.executor = executor;
      options.threads = threads;
      coco_session* made = nullptr;
      require_ok(coco_session_create(model.get(), &kShape, 1, &options, &made));
      const Handle<coco_session> session(made);
      std::vector<float> y(expected.size());
      const coco_const_buffer in{x.data(), x.size() * sizeof(float)};
      const coco_buffer out{y.data(), y.size() * sizeof(float)};
      require_ok(coco_session_run(session.get(), &in, 1, &out, 1));
      CHECK(std::memcmp(y.data(), expected.data(), out.bytes) == 0);
    }
  }
}

TEST_CASE("a session tells its tensors and its plan, and outlives its model", "[capi]") {
  auto model = small_model();
  const auto session = session_of(model.get(), kShape);
  model.reset();
  REQUIRE(coco_session_input_count(session.get()) == 1);
  REQUIRE(coco_session_output_count(session.get()) == 1);
  auto tensor = sized<coco_tensor_info>();
  require_ok(coco_session_get_input(session.get(), 0, &tensor));
  CHECK(tensor.bytes == 9 * 14 * sizeof(float));
  require_ok(coco_session_get_output(session.get(), 0, &tensor));
  CHECK(std::vector<int64_t>(tensor.dims, tensor.dims + 4) == std::vector<int64_t>{1, 1, 18, 28});
  CHECK(tensor.bytes == 18 * 28 * sizeof(float));
  auto stats = sized<coco_session_stats>();
  require_ok(coco_session_get_stats(session.get(), &stats));
  const Shape shape{1, 1, 9, 14};
  const SessionStats expected = Session::create(small_cpp_model(), {&shape, 1}, {}).value()->stats();
  CHECK(stats.executor == expected.executor);
  CHECK(stats.macs == expected.macs);
  CHECK(stats.arena_bytes == expected.arena_bytes);
  CHECK(stats.threads == expected.threads);
}

TEST_CASE("a model without open dimensions needs no shapes", "[capi]") {
  const auto program = format::testing::every_operator();
  const auto bytes = format::write_program(program).value();
  coco_model* made = nullptr;
  require_ok(coco_model_from_memory(bytes.data(), bytes.size(), &made));
  const Handle<coco_model> model(made);
  coco_session* session = nullptr;
  require_ok(coco_session_create(model.get(), nullptr, 0, nullptr, &session));
  const Handle<coco_session> owner(session);
  CHECK(coco_session_output_count(session) == program.outputs.size());
  auto tensor = sized<coco_tensor_info>();
  require_ok(coco_session_get_input(session, 0, &tensor));
  CHECK(tensor.bytes == 4 * 8 * 6 * sizeof(float));
  check_error(coco_session_create(small_model().get(), nullptr, 0, nullptr, &session), COCO_ERROR_INVALID_ARGUMENT,
              {"'x0'", "[1, 1, ?, ?]"});
}

TEST_CASE("sessions of one model run at the same time", "[capi]") {
  const auto model = small_model();
  const std::vector<float> x = ramp(9 * 14), expected = expected_output(x);
  constexpr int kThreads = 4;
  std::vector<std::vector<float>> results(kThreads, std::vector<float>(expected.size()));
  std::vector<coco_error> errors(kThreads, COCO_ERROR_INTERNAL);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      coco_session* session = nullptr;
      errors[i] = coco_session_create(model.get(), &kShape, 1, nullptr, &session);
      const Handle<coco_session> owner(session);
      const coco_const_buffer in{x.data(), x.size() * sizeof(float)};
      const coco_buffer out{results[i].data(), results[i].size() * sizeof(float)};
      for (int run = 0; run < 20 && errors[i] == COCO_OK; ++run) errors[i] = coco_session_run(session, &in, 1, &out, 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<coco_error>(kThreads, COCO_OK));
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("a run allocates nothing", "[capi]") {
  const auto model = small_model();
  const auto session = session_of(model.get(), kShape);
  const std::vector<float> x = ramp(9 * 14);
  std::vector<float> y(18 * 28);
  const coco_const_buffer in{x.data(), x.size() * sizeof(float)};
  const coco_buffer out{y.data(), y.size() * sizeof(float)};
  require_ok(coco_session_run(session.get(), &in, 1, &out, 1));
  const size_t before = allocation_count();
  const coco_error error = coco_session_run(session.get(), &in, 1, &out, 1);
  const size_t after = allocation_count();
  CHECK(error == COCO_OK);
  CHECK(after == before);
}

TEST_CASE("a session runs where its options say", "[capi]") {
  const auto model = small_model();
  const coco_shape shape{4, {1, 1, 4, 6}};
  auto options = sized<coco_session_options>();
  coco_session* made = nullptr;
  options.device = "cpu";
  require_ok(coco_session_create(model.get(), &shape, 1, &options, &made));
  Handle<coco_session> session(made);
  auto stats = sized<coco_session_stats>();
  require_ok(coco_session_get_stats(session.get(), &stats));
  CHECK(std::string(stats.executor) != "vulkan");
  options.device = "gpu";
  check_error(coco_session_create(model.get(), &shape, 1, &options, &made), COCO_ERROR_INVALID_ARGUMENT,
              {"no device 'gpu'", "vulkan:INDEX"});
  options.device = "vulkan";
  if (coco_session_create(model.get(), &shape, 1, &options, &made) != COCO_OK) {
    std::printf("skipped: %s\n", coco_last_error());
    return;
  }
  session.reset(made);
  require_ok(coco_session_get_stats(session.get(), &stats));
  CHECK(std::string(stats.executor) == "vulkan");
}

TEST_CASE("options of a header that knows no device are taken as they are", "[capi]") {
  const auto model = small_model();
  const coco_shape shape{4, {1, 1, 4, 6}};
  auto options = sized<coco_session_options>();
  options.struct_size = offsetof(coco_session_options, device);
  options.device = "what an older caller has behind its structure";
  coco_session* made = nullptr;
  require_ok(coco_session_create(model.get(), &shape, 1, &options, &made));
  coco_session_free(made);
  options.struct_size += 4;
  check_error(coco_session_create(model.get(), &shape, 1, &options, &made), COCO_ERROR_INVALID_ARGUMENT,
              {"struct_size"});
}
