#include "tune/face/face_networks.h"

#include <cmath>
#include <string>

namespace coco::tune {
namespace {

/// Adds layers one after the other; the first error is kept and ends it.
class Builder {
 public:
  Builder(graph::Graph& graph, Random& random) : graph_(graph), random_(random) {}

  struct Conv {
    int64_t in, out, kernel = 3, stride = 1;
    bool same = true;        ///< Padded to keep the size (over the stride).
    bool activation = true;  ///< PReLU.
    double gain = 1;         ///< Of the first weights.
  };

  graph::Value* conv(const std::string& name, graph::Value* x, const Conv& c) {
    if (!ok()) return x;
    format::Conv2dParams p;
    p.kernel = {c.kernel, c.kernel};
    p.stride = {c.stride, c.stride};
    const int64_t pad = c.same ? c.kernel / 2 : 0;
    p.pads = {pad, pad, pad, pad};
    // He et al. 2015, for a rectifier that lets a quarter through below zero.
    const auto fan = static_cast<double>(c.in * c.kernel * c.kernel);
    std::vector<float> weight(static_cast<size_t>(c.out * c.in * c.kernel * c.kernel));
    for (float& w : weight) w = static_cast<float>(c.gain * std::sqrt(1.9 / fan) * random_.normal());
    graph::Value* w = graph_.add_constant(name + ".weight", {c.out, c.in, c.kernel, c.kernel}, weight);
    graph::Value* b =
        graph_.add_constant(name + ".bias", {c.out}, std::vector<float>(static_cast<size_t>(c.out), 0.0f));
    x = take(graph_.append(p, {x, w, b}, name), x);
    if (!c.activation || !ok()) return x;
    graph::Value* slope =
        graph_.add_constant(name + ".slope", {c.out, 1, 1}, std::vector<float>(static_cast<size_t>(c.out), 0.25f));
    return take(graph_.append(format::PreluParams{}, {x, slope}, name + ".prelu"), x);
  }

  graph::Value* twice(const std::string& name, graph::Value* x) {
    if (!ok()) return x;
    format::ResizeParams p;
    p.scales = {1, 1, 2, 2};
    return take(graph_.append(p, {x}, name), x);
  }
  graph::Value* join(const std::string& name, graph::Value* a, graph::Value* b) {
    if (!ok()) return a;
    format::ConcatParams p;
    p.axis = 1;
    return take(graph_.append(p, {a, b}, name), a);
  }
  graph::Value* shuffle(const std::string& name, graph::Value* x) {
    if (!ok()) return x;
    format::DepthToSpaceParams p;
    p.block = 2;
    return take(graph_.append(p, {x}, name), x);
  }
  graph::Value* sigmoid(const std::string& name, graph::Value* x) {
    if (!ok()) return x;
    format::UnaryParams p;
    p.kind = format::UnaryKind::kSigmoid;
    return take(graph_.append(p, {x}, name), x);
  }

  bool ok() const { return status_.ok(); }
  Status status() { return std::move(status_); }

 private:
  graph::Value* take(Result<graph::Node*> node, graph::Value* otherwise) {
    if (node.ok()) return (*node)->output();
    status_ = node.take_error();
    return otherwise;
  }
  graph::Graph& graph_;
  Random& random_;
  Status status_;
};

}  // namespace

Result<graph::Graph> landmark_network(Random& random) {
  graph::Graph graph;
  Builder b(graph, random);
  graph::Value* x = graph.add_input("face", DataType::kF32, {1, 3, kLandmarkSize, kLandmarkSize});
  x = b.conv("conv0", x, {.in = 3, .out = 16, .stride = 2});
  x = b.conv("conv1", x, {.in = 16, .out = 32, .stride = 2});
  x = b.conv("conv2", x, {.in = 32, .out = 32});
  x = b.conv("conv3", x, {.in = 32, .out = 64, .stride = 2});
  x = b.conv("conv4", x, {.in = 64, .out = 64});
  x = b.conv("conv5", x, {.in = 64, .out = 96, .stride = 2});
  x = b.conv("conv6", x, {.in = 96, .out = 96});
  x = b.conv("narrow", x, {.in = 96, .out = 24, .kernel = 1});
  x = b.conv("gather", x, {.in = 24, .out = 112, .kernel = 7, .same = false});
  x = b.conv("answer", x, {.in = 112, .out = kLandmarkOutputs, .kernel = 1, .activation = false, .gain = 0.3});
  COCO_TRY(b.status());
  graph.add_output("landmarks", x);
  return graph;
}

Result<graph::Graph> mask_network(Random& random) {
  graph::Graph graph;
  Builder b(graph, random);
  graph::Value* x = graph.add_input("face", DataType::kF32, {1, 3, kMaskSize, kMaskSize});
  graph::Value* half = b.conv("down0", x, {.in = 3, .out = 12, .stride = 2});
  x = b.conv("down1", half, {.in = 12, .out = 24, .stride = 2});
  graph::Value* quarter = b.conv("mix1", x, {.in = 24, .out = 24});
  x = b.conv("down2", quarter, {.in = 24, .out = 48, .stride = 2});
  graph::Value* eighth = b.conv("mix2", x, {.in = 48, .out = 48});
  x = b.conv("down3", eighth, {.in = 48, .out = 64, .stride = 2});
  x = b.conv("mix3", x, {.in = 64, .out = 64});
  x = b.conv("mix4", x, {.in = 64, .out = 64});
  x = b.join("join2", b.twice("up2", x), eighth);
  x = b.conv("rise2", x, {.in = 112, .out = 48});
  x = b.join("join1", b.twice("up1", x), quarter);
  x = b.conv("rise1", x, {.in = 72, .out = 24});
  x = b.join("join0", b.twice("up0", x), half);
  x = b.conv("rise0", x, {.in = 36, .out = 16});
  x = b.conv("answer", x, {.in = 16, .out = 8, .activation = false, .gain = 0.3});
  x = b.sigmoid("share", b.shuffle("whole", x));
  COCO_TRY(b.status());
  graph.add_output("masks", x);
  return graph;
}

NetworkSize size_of(const graph::Graph& graph) {
  NetworkSize size;
  for (const graph::Value& value : graph.values()) {
    if (value.is_constant() && value.type() == DataType::kF32)
      size.parameters += value.shape().element_count().value_or(0);
  }
  for (const graph::Node& node : graph.nodes()) {
    if (!std::holds_alternative<format::Conv2dParams>(node.params())) continue;
    const Shape& out = node.output()->shape();
    size.macs += out[2] * out[3] * node.input(1)->shape().element_count().value_or(0);
  }
  return size;
}

}  // namespace coco::tune
