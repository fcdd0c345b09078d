// Purpose: from the graph to the program of a .coco file.
#pragma once

#include "coco/model.h"
#include "format/program.h"
#include "graph/graph.h"

namespace coco::compiler {

/// Numbers the values, keeps the execution order, names the outputs as the model does. The program is verified.
Result<format::Program> emit(graph::Graph graph, const ModelCard& card);

}  // namespace coco::compiler
