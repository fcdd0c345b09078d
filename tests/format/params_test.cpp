#include <set>

#include "catch.h"
#include "format/params.h"
#include "format/program.h"

using namespace coco::format;

TEST_CASE("every operator has a name, defaults and an arity") {
  std::set<std::string_view> names;
  for (int i = 0; i < kOpKindCount; ++i) {
    const auto kind = static_cast<OpKind>(i);
    names.insert(to_string(kind));
    CHECK(op_kind_from_string(to_string(kind)) == kind);
    CHECK(op_kind(make_params(kind)) == kind);
    CHECK(to_text(make_params(kind)).empty());
    CHECK(op_arity(kind).required >= 1);
    CHECK(op_arity(kind).required <= op_arity(kind).total);
  }
  CHECK(names.size() == static_cast<size_t>(kOpKindCount));
  CHECK(names.count("Conv2d") == 1);
  CHECK_FALSE(op_kind_from_string("conv2d").has_value());
  CHECK(to_string(static_cast<OpKind>(kOpKindCount)).empty());
}

template <typename Enum>
void check_names(int count) {
  std::set<std::string_view> names;
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    names.insert(to_string(value));
    Enum parsed{};
    CHECK(from_string(to_string(value), parsed));
    CHECK(parsed == value);
  }
  CHECK(names.size() == static_cast<size_t>(count));
  CHECK(to_string(static_cast<Enum>(count)).empty());
  Enum untouched = static_cast<Enum>(1);
  CHECK_FALSE(from_string("no such name", untouched));
  CHECK_FALSE(from_string("", untouched));
  CHECK(untouched == static_cast<Enum>(1));
}

TEST_CASE("enumerators' names go there and back") {
  check_names<UnaryKind>(40);
  check_names<BinaryKind>(17);
  check_names<PadMode>(3);
  check_names<ResizeMode>(3);
  check_names<CoordinateMode>(4);
  check_names<NearestMode>(4);
  check_names<DepthToSpaceMode>(2);
  check_names<ReduceKind>(10);
  check_names<PoolKind>(3);
  check_names<GridMode>(3);
  check_names<GridPadding>(3);
  check_names<ScatterKind>(3);
  check_names<Direction>(3);
  check_names<coco::DataType>(8);
  CHECK(to_string(UnaryKind::kLeakyRelu) == "leaky_relu");
  CHECK(to_string(CoordinateMode::kPytorchHalfPixel) == "pytorch_half_pixel");
}
