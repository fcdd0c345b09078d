// Purpose: the ONNX operators that can be imported, one row each.
#pragma once

#include <span>
#include <string_view>

#include "compiler/onnx/node_context.h"

namespace coco::compiler {

/// Imports the node as graph nodes (or as numbers).
using ImportFunction = Status (*)(NodeContext&);
/// Evaluates the node on numbers; every input present is known.
using EvaluateFunction = Status (*)(NodeContext&);

struct ImportRow {
  std::string_view op;
  int min_opset;  ///< of the default domain
  int max_opset;
  ImportFunction import;      ///< null: only as shape arithmetic
  EvaluateFunction evaluate;  ///< null: never as numbers
};

inline constexpr int kMinOpset = 6;
inline constexpr int kMaxOpset = 17;

std::span<const ImportRow> import_rows();
/// Null when the operator is not in the table.
const ImportRow* find_import_row(std::string_view op);

}  // namespace coco::compiler
