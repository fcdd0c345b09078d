#include "tune/lower.h"

namespace coco::tune {
namespace {

Result<graph::Node*> add_convolution(graph::Graph& graph, const Architecture& a, const PlainLayer& layer, size_t index,
                                     graph::Value* input) {
  const std::string name = "conv" + std::to_string(index);
  const LayerSpec& spec = layer.spec;
  const int64_t kernel = spec.kernel;
  graph::Value* weight = graph.add_constant(name + ".weight", Shape(weight_shape(a, index)), layer.weight);
  graph::Value* bias = graph.add_constant(name + ".bias", {spec.out}, layer.bias);
  if (is_transposed(a, index)) {
    format::ConvTranspose2dParams p;
    const int64_t extra = (kernel - a.scale) % 2, pad = (kernel - a.scale + extra) / 2;
    p.kernel = {kernel, kernel};
    p.stride = {a.scale, a.scale};
    p.pads = {pad, pad, pad, pad};
    p.output_padding = {extra, extra};
    return graph.append(p, {input, weight, bias}, name);
  }
  format::Conv2dParams p;
  p.kernel = {kernel, kernel};
  p.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
  p.group = spec.depthwise ? spec.in : 1;
  return graph.append(p, {input, weight, bias}, name);
}

Result<graph::Value*> add_layer(graph::Graph& graph, const Architecture& a, const PlainLayer& layer, size_t index,
                                graph::Value* input) {
  COCO_ASSIGN(graph::Node * node, add_convolution(graph, a, layer, index, input));
  const std::string name = std::string(to_string(layer.spec.activation)) + std::to_string(index);
  format::UnaryParams unary;
  switch (layer.spec.activation) {
    case Activation::kNone:
      return node->output();
    case Activation::kPrelu: {
      graph::Value* slope = graph.add_constant(name + ".slope", {layer.spec.out, 1, 1}, layer.slope);
      COCO_ASSIGN(node, graph.append(format::PreluParams{}, {node->output(), slope}, name));
      return node->output();
    }
    case Activation::kRelu:
      unary.kind = format::UnaryKind::kRelu;
      break;
    case Activation::kClip:
      unary = {format::UnaryKind::kClip, 0, layer.spec.clip};
      break;
    case Activation::kTanh:
      unary.kind = format::UnaryKind::kTanh;
      break;
  }
  COCO_ASSIGN(node, graph.append(unary, {node->output()}, name));
  return node->output();
}

format::ResizeParams base_params(const Architecture& a) {
  format::ResizeParams p;
  const auto scale = static_cast<float>(a.scale);
  p.scales = {1.f, 1.f, scale, scale};
  if (a.base == Base::kBilinear) p.mode = format::ResizeMode::kLinear;
  if (a.base == Base::kBicubic) {
    p.mode = format::ResizeMode::kCubic;
    p.cubic_a = -0.5f;
  }
  if (a.base == Base::kNearest) {
    p.coordinates = format::CoordinateMode::kAsymmetric;
    p.nearest = format::NearestMode::kFloor;
  }
  return p;
}

}  // namespace

Result<graph::Graph> lower(const PlainNet& net) {
  const Architecture& a = net.architecture;
  COCO_TRY(check_architecture(a));
  graph::Graph graph;
  graph::Value* luma = graph.add_input("luma", DataType::kF32, {1, 1, kDynamicDim, kDynamicDim});
  graph::Value* last = luma;
  if (a.unshuffle > 1) {
    COCO_ASSIGN(graph::Node * node, graph.append(format::SpaceToDepthParams{a.unshuffle}, {last}, "squares"));
    last = node->output();
  }
  for (size_t i = 0; i < net.layers.size(); ++i) {
    COCO_ASSIGN(last, add_layer(graph, a, net.layers[i], i, last));
  }
  if (a.end == End::kShuffle) {
    COCO_ASSIGN(graph::Node * node, graph.append(format::DepthToSpaceParams{a.scale * a.unshuffle}, {last}, "detail"));
    last = node->output();
  }
  if (a.base != Base::kNone) {
    COCO_ASSIGN(graph::Node * base, graph.append(base_params(a), {luma}, "base"));
    COCO_ASSIGN(graph::Node * sum, graph.append(format::BinaryParams{}, {last, base->output()}, "upscaled"));
    last = sum->output();
  }
  graph.add_output("upscaled", last);
  return graph;
}

}  // namespace coco::tune
