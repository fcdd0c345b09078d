// Purpose: a network as the line executor runs it: row tensors and row operators in topological order, from sources
// (the caller's samples in) to sinks (the caller's samples out). Programs can be joined one after the other.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/row_op.h"
#include "coco/session.h"
#include "format/program.h"

namespace coco::runtime {

struct LineOp {
  std::unique_ptr<backends::RowOp> op;
  std::vector<int> inputs;       ///< tensor numbers
  int output = -1;               ///< tensor number; -1: a sink, whose picture is that of inputs[0]
  double cost = 1;               ///< of one result sample, in elementary operations, roughly
  format::OpParams params = {};  ///< of the program's operator; monostate for sources, sinks and resampling
  int binding = -1;              ///< of sources and sinks
  int number = -1;               ///< of the program's operator; -1: there is none
  std::string_view kernel = {};  ///< as BoundRowOp's
};

/// What results of a program may be.
enum class Ends : uint8_t { kF32, kF32OrU8 };

struct LineProgram {
  std::vector<backends::RowTensor> tensors;
  std::vector<LineOp> ops;
  int bindings = 0;  ///< caller's planes a run binds
  int64_t macs = 0;  ///< of one run

  /// Adds a source reading the next binding; returns its tensor.
  int add_source(backends::RowTensor tensor, const kernels::Capabilities& capabilities);
  /// Adds a sink storing `tensor` to the next binding.
  void add_sink(int tensor, const kernels::Capabilities& capabilities);
  /// Gives the last sink the pixel shuffle and the residual sum in front of it, where they are what it stores:
  /// sink(Binary add(DepthToSpace(x), base)), and the integer convolution that makes x. The same bytes, without rows
  /// written and read on the way.
  void fuse_last_sink(const kernels::Capabilities& capabilities);
  /// Resamples `tensor` to width x height (bicubic, antialiased when shrinking); returns the result.
  int add_resample(int tensor, int width, int height, kernels::ResampleKernel kernel,
                   const kernels::Capabilities& capabilities);
  /// Adds the operators of a program whose inputs are these tensors; returns its output tensors. kUnsupported, naming
  /// the operator, when one does not work row by row. `shapes` are resolved for the inputs' sizes.
  Result<std::vector<int>> append(const format::Program& program, std::span<const Shape> shapes,
                                  std::span<const int> inputs, const kernels::Capabilities& capabilities,
                                  Ends ends = Ends::kF32);
};

/// What the session's options allow the kernels to use.
kernels::Capabilities capabilities_for(const SessionOptions& options);

}  // namespace coco::runtime
