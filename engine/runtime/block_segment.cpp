#include "runtime/block_segment.h"

#include <algorithm>

#include "runtime/block_stages.h"
#include "runtime/line_program.h"
#include "runtime/segment_cut.h"

namespace coco::runtime {
namespace {

using backends::BlockNode;
using backends::BlockTensor;

// A tensor of more floats than this (32 MiB) would go to memory and back between two layers: strips of rows do not.
constexpr int64_t kMostFloats = int64_t{1} << 23;

bool is_pointwise_activation(const format::UnaryParams& p) {
  return p.kind == format::UnaryKind::kRelu || p.kind == format::UnaryKind::kLeakyRelu ||
         p.kind == format::UnaryKind::kClip;
}

/// Products of convolutions, all and those that make it pay to work in blocks.
struct Products {
  double all = 0, useful = 0;
  void add(const backends::BlockContext& context, const BlockNode& node) {
    const format::Operator& op = context.program.operators[node.op];
    const auto macs = static_cast<double>(format::count_macs(op, context.shapes));
    if (macs == 0) return;
    // Rows of integers fill their vectors in wide pictures alone.
    constexpr int64_t kWide = 64;
    const bool short_rows = op.kind() == format::OpKind::kQuantConv2d && context.shapes[node.output][3] < kWide;
    useful += macs * std::min(1.0, backends::block_density(context, node) * (short_rows ? 2 : 1));
  }
  /// Below this share rows of single channels are faster.
  bool pay() const { return all > 0 && useful >= 0.7 * all; }
};

bool has_slope(const format::Operator& op) { return op.inputs.size() > 3 && op.inputs[3] != format::kNoValue; }

/// Puts nodes between sources and sinks, and the tensors between them.
struct SegmentBuilder {
  const backends::BlockContext& context;
  std::span<const BlockNode> nodes;
  const LayerStepSpec& spec;
  std::vector<int> tensor_of;  // per value
  std::vector<BlockTensor> tensors;
  std::vector<BlockStages::Stage> stages = {};
  std::vector<BlockStages::Place> places = {};

  SegmentBuilder(const backends::BlockContext& c, std::span<const BlockNode> n, const LayerStepSpec& s)
      : context(c), nodes(n), spec(s), tensor_of(c.program.values.size(), -1) {}

  void add_tensor(int32_t value) {
    const Shape& s = context.shapes[value];
    tensor_of[value] = static_cast<int>(tensors.size());
    BlockTensor tensor{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3])};
    tensor.type = context.program.values[value].type;
    if (tensor.type == DataType::kU8)
      tensor.zero = static_cast<uint8_t>(backends::zero_point_of(context.program, value));
    tensors.push_back(tensor);
  }

  bool reads(const BlockNode& node, int32_t value) const {
    return std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end();
  }
  bool is_result(int32_t value) const {
    return std::find(spec.outputs.begin(), spec.outputs.end(), value) != spec.outputs.end();
  }

  /// A picture of few channels that dense convolutions alone read takes less than a block a pixel: its floats, or a
  /// word of bytes.
  void narrow(int32_t value) {
    BlockTensor& tensor = tensors[tensor_of[value]];
    if (tensor.channels > kernels::kWordChannels || is_result(value)) return;
    for (const BlockNode& node : nodes) {
      if (!reads(node, value)) continue;
      const auto& params = context.program.operators[node.op].params;
      const auto* conv = std::get_if<format::Conv2dParams>(&params);
      const auto* integers = std::get_if<format::QuantConv2dParams>(&params);
      const int64_t group = conv != nullptr ? conv->group : integers != nullptr ? integers->group : 0;
      if (group != 1 || node.add == value || node.depthwise != BlockNode::kNone) return;
    }
    tensor.pixel = tensor.type == DataType::kU8 ? kernels::kWordChannels : tensor.channels;
  }

  /// The node that alone reads an input of the step and quantizes it; null where there is none.
  const BlockNode* quantizer(int32_t value) const {
    const BlockNode* only = nullptr;
    for (const BlockNode& node : nodes) {
      if (!reads(node, value)) continue;
      if (only != nullptr || program_kind(node) != format::OpKind::kQuantize) return nullptr;
      only = &node;
    }
    return only;
  }

  /// Whether the inputs of a join can be written where its result lies. Then they are.
  bool place_inside(const BlockNode& node) {
    if (program_kind(node) != format::OpKind::kConcat) return false;
    const auto& in = node.inputs;
    for (size_t i = 0; i < in.size(); ++i) {
      const auto tensor = static_cast<size_t>(tensor_of[in[i]]);
      if (tensors[tensor].zero != tensors[tensor_of[node.output]].zero) return false;  // of its border
      if (places[tensor].root != tensor || std::count(in.begin(), in.end(), in[i]) > 1) return false;
    }
    const auto whole = static_cast<size_t>(tensor_of[node.output]);
    int block = 0;
    for (const int32_t v : in) {
      const auto part = static_cast<size_t>(tensor_of[v]);
      for (BlockStages::Place& place : places) {  // what lies inside the part, too
        if (place.root == part) place = {whole, place.block + block};
      }
      block += tensors[part].blocks();
    }
    return true;
  }
  format::OpKind program_kind(const BlockNode& node) const { return context.program.operators[node.op].kind(); }

  /// Parts of a join have its border.
  void share_borders() {
    for (size_t t = 0; t < tensors.size(); ++t) {
      int& whole = tensors[places[t].root].border;
      whole = std::max(whole, tensors[t].border);
    }
    for (size_t t = 0; t < tensors.size(); ++t) tensors[t].border = tensors[places[t].root].border;
  }

  Status build() {
    for (const int32_t v : spec.inputs) add_tensor(v);
    for (const BlockNode& node : nodes) add_tensor(node.output);
    for (const BlockNode& node : nodes)
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        int& border = tensors[tensor_of[node.inputs[i]]].border;
        border = std::max(border, backends::block_border(context, node, i));
      }
    for (size_t t = 0; t < tensors.size(); ++t) places.push_back({t, 0});
    std::vector<bool> placed;
    for (const BlockNode& node : nodes) placed.push_back(place_inside(node));
    share_borders();
    std::vector<const BlockNode*> quantizers;
    for (const int32_t v : spec.inputs) {
      quantizers.push_back(quantizer(v));
      narrow(quantizers.back() != nullptr ? quantizers.back()->output : v);
    }
    for (size_t i = 0; i < spec.inputs.size(); ++i) add_source(i, quantizers[i]);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const bool loaded = std::find(quantizers.begin(), quantizers.end(), &nodes[i]) != quantizers.end();
      if (!placed[i] && !loaded) COCO_TRY(add_node(nodes[i]));
    }
    for (size_t i = 0; i < spec.outputs.size(); ++i) {
      const auto tensor = static_cast<size_t>(tensor_of[spec.outputs[i]]);
      stages.push_back({backends::make_block_sink(context, tensors[tensor]), {tensor}, i, false, true});
    }
    return {};
  }

  void add_source(size_t input, const BlockNode* quantizer) {
    const int32_t value = quantizer != nullptr ? quantizer->output : spec.inputs[input];
    const auto tensor = static_cast<size_t>(tensor_of[value]);
    stages.push_back({quantizer != nullptr ? backends::make_block_quantize_source(context, *quantizer, tensors[tensor])
                                           : backends::make_block_source(context, tensors[tensor]),
                      {input},
                      tensor,
                      true,
                      false});
  }

  Status add_node(const BlockNode& node) {
    std::vector<BlockTensor> inputs;
    BlockStages::Stage stage;
    for (const int32_t v : node.inputs) {
      stage.in.push_back(static_cast<size_t>(tensor_of[v]));
      inputs.push_back(tensors[stage.in.back()]);
    }
    stage.out = static_cast<size_t>(tensor_of[node.output]);
    stage.number = static_cast<int>(node.op - spec.begin);
    COCO_ASSIGN(stage.op, backends::make_block_op(context, node, inputs, tensors[stage.out]));
    stages.push_back(std::move(stage));
    return {};
  }
};

}  // namespace

BlockSegmenter::BlockSegmenter(const format::Program& program, std::span<const Shape> shapes,
                               const SessionOptions& options, int threads)
    : program_(program),
      picture_shapes_(picture_shapes(program, shapes)),
      shapes_(shapes),
      last_use_(last_uses(program)),
      uses_(program.values.size(), 0),
      context_{program, picture_shapes_, capabilities_for(options), threads},
      profile_(options.profile) {
  for (const format::Operator& op : program.operators) {
    for (const int32_t v : op.inputs) {
      if (v != format::kNoValue) ++uses_[v];
    }
  }
  for (const int32_t v : program.outputs) ++uses_[v];
}

bool BlockSegmenter::works(size_t index, int64_t batch) const {
  const format::Operator& op = program_.operators[index];
  const auto in_batch = [&](int32_t v) {
    return v == format::kNoValue || program_.values[v].is_constant() ||
           (shapes_[v].rank() == 4 && shapes_[v][0] == batch);
  };
  return std::all_of(op.inputs.begin(), op.inputs.end(), in_batch) &&
         std::all_of(op.outputs.begin(), op.outputs.end(), in_batch) && backends::make_block_node(context_, index).ok();
}

/// Weighs the products of the convolutions.
bool BlockSegmenter::pays(std::span<const BlockNode> nodes) const {
  Products products;
  for (const BlockNode& node : nodes) {
    products.all += static_cast<double>(format::count_macs(program_.operators[node.op], context_.shapes));
    products.add(context_, node);
  }
  return products.pay();
}

/// conv -> add -> activation become one node each; it stands where the last of them stood.
void BlockSegmenter::fuse(std::vector<BlockNode>& nodes) const {
  const auto producer = [&](int32_t value, size_t before) {
    for (size_t i = 0; i < before; ++i) {
      if (nodes[i].output == value) return i;
    }
    return before;
  };
  const auto is_conv = [&](const BlockNode& n) { return program_.operators[n.op].kind() == format::OpKind::kConv2d; };
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto& params = program_.operators[nodes[i].op].params;
    const auto* binary = std::get_if<format::BinaryParams>(&params);
    const auto* unary = std::get_if<format::UnaryParams>(&params);
    if (binary != nullptr && binary->kind == format::BinaryKind::kAdd && nodes[i].inputs[0] != nodes[i].inputs[1]) {
      // Of two convolutions the later one, so that the other's result is there.
      size_t best = i;
      int32_t other = format::kNoValue;
      for (const size_t side : {0, 1}) {
        const size_t made = producer(nodes[i].inputs[side], i);
        if (made == i || !is_conv(nodes[made]) || nodes[made].add != format::kNoValue ||
            uses_[nodes[i].inputs[side]] != 1 || (best != i && made < best))
          continue;
        best = made, other = nodes[i].inputs[1 - side];
      }
      if (best == i) continue;
      BlockNode conv = nodes[best];
      conv.output = nodes[i].output, conv.add = other;
      conv.inputs.push_back(other);
      nodes[i] = std::move(conv);
      nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(best));
      --i;
    } else if (unary != nullptr && is_pointwise_activation(*unary)) {
      const size_t made = producer(nodes[i].inputs[0], i);
      if (made == i || !is_conv(nodes[made]) || nodes[made].activation.kind != format::UnaryKind::kIdentity ||
          uses_[nodes[i].inputs[0]] != 1 || has_slope(program_.operators[nodes[made].op]))
        continue;
      BlockNode conv = nodes[made];
      conv.output = nodes[i].output, conv.add_first = true;
      conv.activation = {unary->kind, unary->a, unary->b};
      nodes[i] = std::move(conv);
      nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(made));
      --i;
    }
  }
}

/// depthwise -> 1x1 become one node where nobody else reads what is between them and there are rows to share out.
void BlockSegmenter::join_separable(std::vector<BlockNode>& nodes) const {
  constexpr int64_t kFewestRows = 14;
  using Pair = std::array<int64_t, 2>;
  const auto params = [&](const BlockNode& n) {
    return std::get_if<format::Conv2dParams>(&program_.operators[n.op].params);
  };
  for (size_t i = 1; i < nodes.size(); ++i) {
    const auto* point = params(nodes[i]);
    if (point == nullptr || point->group != 1 || point->kernel != Pair{1, 1} || point->stride != Pair{1, 1} ||
        point->pads != std::array<int64_t, 4>{} || picture_shapes_[nodes[i].output][2] < kFewestRows)
      continue;
    const int32_t between = nodes[i].inputs[0];
    const auto made = std::find_if(nodes.begin(), nodes.end(), [&](const BlockNode& n) { return n.output == between; });
    if (made == nodes.end() || params(*made) == nullptr || params(*made)->group == 1 || uses_[between] != 1 ||
        made->add != format::kNoValue || nodes[i].add == between)
      continue;
    nodes[i].depthwise = made->op, nodes[i].depthwise_activation = made->activation;
    nodes[i].inputs[0] = made->inputs[0];
    nodes.erase(made);
    --i;
  }
}

Result<LayerStepSpec> BlockSegmenter::cut(size_t begin) const {
  LayerStepSpec none;
  const Shape& result = shapes_[program_.operators[begin].outputs[0]];
  if (context_.capabilities.target.empty() || result.rank() != 4) return none;
  size_t end = begin;
  std::vector<BlockNode> nodes;
  while (end < program_.operators.size() && works(end, result[0])) {
    COCO_ASSIGN(BlockNode node, backends::make_block_node(context_, end));
    nodes.push_back(std::move(node));
    ++end;
  }
  if (!pays(nodes)) return none;
  LayerStepSpec spec = make_segment_spec(program_, begin, end, last_use_);
  if (spec.outputs.empty()) return none;
  fuse(nodes);
  join_separable(nodes);
  SegmentBuilder builder(context_, nodes, spec);
  COCO_TRY(builder.build());
  auto segment = std::make_unique<BlockStages>(result[0], context_.threads, profile_);
  COCO_TRY(segment->plan(std::move(builder.stages), builder.tensors, builder.places));
  spec.step = std::move(segment);
  return spec;
}

bool suits_blocks(const format::Program& program, std::span<const Shape> shapes, const SessionOptions& options) {
  if (options.reference_kernels) return false;
  for (const format::Operator& op : program.operators) {
    for (const int32_t v : op.outputs) {
      if (shapes[v].element_count().value_or(0) > kMostFloats) return false;
    }
  }
  const std::vector<Shape> pictures = picture_shapes(program, shapes);
  const backends::BlockContext context{program, pictures, capabilities_for(options)};
  Products products;
  for (size_t i = 0; i < program.operators.size(); ++i) {
    products.all += static_cast<double>(format::count_macs(program.operators[i], pictures));
    const auto node = backends::make_block_node(context, i);
    if (node.ok()) products.add(context, *node);
  }
  return products.pay();
}

}  // namespace coco::runtime
