// Purpose: graphs of operators as pictures: Graphviz's DOT written here, SVG laid out by Graphviz's library.
// Ownership: results own what they hold.
// Threads: the main thread.
// Failure: without the library, and for graphs too large to lay out, SVG is an error; DOT never fails.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "coco/session.h"
#include "format/program.h"

namespace coco::cli {

/// A program as one part of the picture.
struct DrawnProgram {
  std::string title;
  const format::Program* program = nullptr;
  std::span<const Shape> shapes;           ///< resolved, one per value; empty: as the program declares them
  std::vector<OperatorProfile> operators;  ///< puts steps into boxes; empty: no boxes
  bool times = true;                       ///< times and colours by share
};

/// The programs side by side.
std::string to_dot(std::span<const DrawnProgram> programs);
/// kUnavailable in a build without Graphviz's library, kResourceLimit beyond 3000 operators.
Result<std::string> svg_from_dot(const std::string& dot, size_t operators);

}  // namespace coco::cli
