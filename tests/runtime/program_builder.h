// Purpose: small programs for the tests of the executors, written operator by operator.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "format/program.h"

namespace coco::testing {

inline std::vector<float> random_values(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(engine() % 2001) / 1000.0f - 1.0f;
  return values;
}

/// The shape of every value, for inputs of the shapes that the program gives.
inline std::vector<Shape> resolve(const format::Program& program) {
  std::vector<Shape> inputs;
  for (const int32_t v : program.inputs) inputs.push_back(program.values[v].shape);
  auto shapes = format::resolve_shapes(program, inputs);
  if (!shapes.ok()) FAIL(shapes.error().message);
  return *shapes;
}

class ProgramBuilder {
 public:
  format::Program program;

  int32_t input(const std::string& name, const Shape& shape, DataType type = DataType::kF32) {
    const int32_t value = add({name, type, shape, {}});
    program.inputs.push_back(value);
    return value;
  }

  int32_t constant(const Shape& shape, const std::vector<float>& data) {
    const format::ConstantData bytes =
        format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(data.data()), data.size() * sizeof(float)});
    return add({"c" + std::to_string(program.values.size()), DataType::kF32, shape, bytes});
  }
  int32_t random_constant(const Shape& shape) {
    return constant(shape, random_values(shape.element_count().value(), static_cast<unsigned>(program.values.size())));
  }

  /// Appends an operator with one result, whose shape is inferred.
  int32_t op(format::OpParams params, std::vector<int32_t> inputs) {
    std::vector<std::optional<Shape>> shapes;
    for (const int32_t v : inputs) {
      shapes.push_back(v == format::kNoValue ? std::nullopt : std::optional<Shape>(program.values[v].shape));
    }
    auto inferred = format::infer_shapes(params, shapes);
    if (!inferred.ok()) FAIL(inferred.error().message);
    const std::string name = "op" + std::to_string(program.operators.size());
    const int32_t value = add({name + "_out", program.values[inputs[0]].type, (*inferred)[0], {}});
    program.operators.push_back({name, std::move(params), std::move(inputs), {value}});
    return value;
  }

  /// A square convolution with random weights and bias that keeps the size, stride 1.
  int32_t conv(int32_t x, int64_t channels, int64_t kernel,
               format::UnaryKind activation = format::UnaryKind::kIdentity) {
    format::Conv2dParams p;
    p.kernel = {kernel, kernel};
    p.pads = {(kernel - 1) / 2, (kernel - 1) / 2, kernel / 2, kernel / 2};
    p.activation = activation;
    p.act_a = 0.1f;
    const int32_t weight = random_constant({channels, program.values[x].shape[1], kernel, kernel});
    return op(p, {x, weight, random_constant({channels}), format::kNoValue});
  }

  void output(int32_t value) { program.outputs.push_back(value); }

 private:
  int32_t add(format::Value value) {
    program.values.push_back(std::move(value));
    return static_cast<int32_t>(program.values.size()) - 1;
  }
};

/// Owned tensors for the inputs and outputs of a run.
struct Tensors {
  std::vector<Shape> shapes;
  std::vector<std::vector<float>> data;

  void add(const Shape& shape, std::vector<float> values) {
    shapes.push_back(shape);
    data.push_back(std::move(values));
  }
  void add_blank(const Shape& shape) {
    add(shape, std::vector<float>(static_cast<size_t>(shape.element_count().value()), -99.0f));
  }
  std::vector<TensorView> views() const {
    std::vector<TensorView> views;
    for (size_t i = 0; i < data.size(); ++i) views.push_back({DataType::kF32, shapes[i], data[i].data()});
    return views;
  }
  std::vector<MutableTensorView> mutable_views() {
    std::vector<MutableTensorView> views;
    for (size_t i = 0; i < data.size(); ++i) views.push_back({DataType::kF32, shapes[i], data[i].data()});
    return views;
  }
};

}  // namespace coco::testing
