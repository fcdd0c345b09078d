#include <graphviz/gvc.h>

#include <memory>

#include "apps/cocopipe/drawing/drawing.h"

namespace coco::cli {
namespace {

// Laying out takes more than linear time.
constexpr size_t kMostOperators = 3000;

int ignore_message(char*) { return 0; }

struct FreeContext {
  void operator()(GVC_t* context) const { gvFreeContext(context); }
};
struct CloseGraph {
  void operator()(Agraph_t* graph) const { agclose(graph); }
};

}  // namespace

Result<std::string> svg_from_dot(const std::string& dot, size_t operators) {
  if (operators > kMostOperators) {
    return make_error(ErrorCode::kResourceLimit, "a graph of " + std::to_string(operators) +
                                                     " operators is too large to lay out here; write it with --dot");
  }
  agseterrf(ignore_message);
  const std::unique_ptr<GVC_t, FreeContext> context(gvContext());
  const std::unique_ptr<Agraph_t, CloseGraph> graph(agmemread(dot.c_str()));
  if (!context || !graph)
    return make_error(ErrorCode::kInternal, "Graphviz does not read the graph; write it with --dot");
  if (gvLayout(context.get(), graph.get(), "dot") != 0) {
    return make_error(ErrorCode::kUnavailable,
                      "Graphviz cannot lay out the graph; are its plugins installed? --dot writes it for other tools");
  }
  char* data = nullptr;
  unsigned int bytes = 0;
  const bool drawn = gvRenderData(context.get(), graph.get(), "svg", &data, &bytes) == 0 && data != nullptr;
  const std::string svg = drawn ? std::string(data, bytes) : std::string();
  gvFreeRenderData(data);
  gvFreeLayout(context.get(), graph.get());
  if (!drawn) return make_error(ErrorCode::kUnavailable, "Graphviz cannot write SVG; --dot writes it for other tools");
  return svg;
}

}  // namespace coco::cli
