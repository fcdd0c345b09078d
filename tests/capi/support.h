// Purpose: what the tests of the C API share: models, handles that free themselves, expectations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catch.h"
#include "coco/coco.h"
#include "coco/model.h"
#include "tests/format/programs.h"

namespace coco::testing {

struct Free {
  void operator()(coco_model* handle) const { coco_model_free(handle); }
  void operator()(coco_session* handle) const { coco_session_free(handle); }
  void operator()(coco_image_session* handle) const { coco_image_session_free(handle); }
  void operator()(coco_upscaler* handle) const { coco_upscaler_free(handle); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

/// A structure as its users set it up.
template <typename T>
T sized() {
  T value{};
  value.struct_size = sizeof(T);
  return value;
}

inline void require_ok(coco_error error) {
  INFO(coco_last_error());
  REQUIRE(error == COCO_OK);
}

/// The call failed with this code, and the text tells all of `parts`.
inline void check_error(coco_error error, coco_error expected, const std::vector<std::string>& parts) {
  const std::string text = coco_last_error();
  INFO(text);
  CHECK(error == expected);
  for (const std::string& part : parts) CHECK_THAT(text, ContainsSubstring(part));
}

inline std::vector<uint8_t> small_bytes() { return format::write_program(format::testing::small_network()).value(); }

inline Handle<coco_model> small_model() {
  const std::vector<uint8_t> bytes = small_bytes();
  coco_model* model = nullptr;
  require_ok(coco_model_from_memory(bytes.data(), bytes.size(), &model));
  return Handle<coco_model>(model);
}

inline std::shared_ptr<const Model> small_cpp_model() {
  return Model::from_program(format::testing::small_network()).value();
}

inline Handle<coco_session> session_of(const coco_model* model, const coco_shape& shape) {
  coco_session* session = nullptr;
  require_ok(coco_session_create(model, &shape, 1, nullptr, &session));
  return Handle<coco_session>(session);
}

}  // namespace coco::testing
