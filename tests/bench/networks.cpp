#include "bench/networks.h"

#include <cmath>

#include "base/random.h"
#include "compiler/onnx_builder.h"

namespace coco::bench {
namespace {

using testing::OnnxBuilder;
using testing::set_attribute;
using Ints = std::vector<int64_t>;

/// A tensor on the way: its name and channels.
struct Wire {
  std::string name;
  int64_t channels;
  int rank = 4;
};

class Writer {
 public:
  Writer() : builder_(13), random_(7) {}

  Wire input(int64_t channels, int64_t height, int64_t width) {
    input_ = {1, channels, height, width};
    builder_.input("x", input_);
    return {"x", channels};
  }
  Network finish(const std::string& name, const std::vector<Wire>& outputs) {
    for (const Wire& wire : outputs) {
      builder_.output(wire.name);
      auto& info = *builder_.model().mutable_graph()->mutable_output()->rbegin();
      auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
      for (int i = 0; i < wire.rank; ++i) shape.add_dim()->set_dim_param(wire.name + "_" + std::to_string(i));
    }
    return {name, builder_.bytes(), input_};
  }

  struct Conv {
    int64_t kernel = 3, stride = 1, group = 1;
    int64_t pad = -1;  ///< -1: keeps the size
    double gain = 2;   ///< power of the result per power of the input; 2 for a ReLU to halve
  };
  Wire conv(const Wire& x, int64_t channels, Conv p) {
    const int64_t per_group = x.channels / p.group, fan_in = per_group * p.kernel * p.kernel;
    const double deviation = std::sqrt(p.gain / static_cast<double>(fan_in));
    const std::string weight = floats({channels, per_group, p.kernel, p.kernel}, deviation),
                      bias = floats({channels}, 0.01);
    onnx::NodeProto& node = add("Conv", {x.name, weight, bias});
    const int64_t pad = p.pad < 0 ? (p.kernel - 1) / 2 : p.pad, end = p.pad < 0 ? p.kernel - 1 - pad : p.pad;
    set_attribute(node, "kernel_shape", Ints{p.kernel, p.kernel});
    set_attribute(node, "strides", Ints{p.stride, p.stride});
    set_attribute(node, "pads", Ints{pad, pad, end, end});
    set_attribute(node, "group", p.group);
    return {node.output(0), channels};
  }
  Wire apply(const char* op, const Wire& x) { return {add(op, {x.name}).output(0), x.channels}; }
  Wire relu(const Wire& x) { return apply("Relu", x); }
  Wire relu6(const Wire& x) { return {add("Clip", {x.name, scalar(0), scalar(6)}).output(0), x.channels}; }
  Wire prelu(const Wire& x) { return {add("PRelu", {x.name, floats({x.channels, 1, 1}, 0.1)}).output(0), x.channels}; }
  Wire sum(const Wire& a, const Wire& b) { return {add("Add", {a.name, b.name}).output(0), a.channels}; }
  Wire join(const Wire& a, const Wire& b) {
    onnx::NodeProto& node = add("Concat", {a.name, b.name});
    set_attribute(node, "axis", int64_t{1});
    return {node.output(0), a.channels + b.channels};
  }
  Wire max_pool(const Wire& x, int64_t kernel, int64_t pad) {
    onnx::NodeProto& node = add("MaxPool", {x.name});
    set_attribute(node, "kernel_shape", Ints{kernel, kernel});
    set_attribute(node, "strides", Ints{2, 2});
    set_attribute(node, "pads", Ints{pad, pad, pad, pad});
    return {node.output(0), x.channels};
  }
  Wire upsample(const Wire& x, const char* mode) {
    onnx::NodeProto& node = add("Resize", {x.name, "", constant({4}, {1, 1, 2, 2})});
    set_attribute(node, "mode", std::string(mode));
    set_attribute(node, "coordinate_transformation_mode", std::string(mode[0] == 'n' ? "asymmetric" : "half_pixel"));
    if (mode[0] == 'n') set_attribute(node, "nearest_mode", std::string("floor"));
    return {node.output(0), x.channels};
  }
  Wire shuffle(const Wire& x, int64_t block) {
    onnx::NodeProto& node = add("DepthToSpace", {x.name});
    set_attribute(node, "blocksize", block);
    set_attribute(node, "mode", std::string("CRD"));
    return {node.output(0), x.channels / (block * block)};
  }
  Wire instance_norm(const Wire& x) {
    return {add("InstanceNormalization",
                {x.name, constant({x.channels}, std::vector<float>(static_cast<size_t>(x.channels), 1)),
                 floats({x.channels}, 0.1)})
                .output(0),
            x.channels};
  }
  /// Mean of all pixels, then a matrix.
  Wire classify(const Wire& x, int64_t classes) {
    const Wire mean = apply("GlobalAveragePool", x);
    onnx::NodeProto& flat = add("Flatten", {mean.name});
    const std::string weight = floats({classes, x.channels}, std::sqrt(1.0 / static_cast<double>(x.channels)));
    onnx::NodeProto& node = add("Gemm", {flat.output(0), weight, floats({classes}, 0.01)});
    set_attribute(node, "transB", int64_t{1});
    return {node.output(0), classes, 2};
  }

 private:
  onnx::NodeProto& add(const char* op, const std::vector<std::string>& inputs) {
    return builder_.node(op, inputs, {"t" + std::to_string(number_++)});
  }
  std::string constant(const Ints& dims, const std::vector<float>& data) {
    const std::string name = "w" + std::to_string(number_++);
    builder_.floats(name, dims, data);
    return name;
  }
  std::string scalar(float value) { return constant({}, {value}); }
  std::string floats(const Ints& dims, double deviation) {
    int64_t count = 1;
    for (const int64_t dim : dims) count *= dim;
    std::vector<float> data(static_cast<size_t>(count));
    for (float& v : data) v = static_cast<float>(random_.normal() * deviation);
    return constant(dims, data);
  }

  OnnxBuilder builder_;
  Ints input_;
  Random random_;
  int number_ = 0;
};

// Sandler et al., 2018.
Network mobilenet_v2() {
  Writer w;
  Wire x = w.relu6(w.conv(w.input(3, 224, 224), 32, {3, 2}));
  struct Stage {
    int64_t expand, channels, count, stride;
  };
  for (const Stage& stage : {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
                             Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}}) {
    for (int64_t i = 0; i < stage.count; ++i) {
      const int64_t stride = i == 0 ? stage.stride : 1, middle = x.channels * stage.expand;
      Wire y = stage.expand > 1 ? w.relu6(w.conv(x, middle, {1})) : x;
      y = w.relu6(w.conv(y, middle, {3, stride, middle}));
      y = w.conv(y, stage.channels, {1, 1, 1, -1, 1});
      x = stride == 1 && x.channels == y.channels ? w.sum(x, y) : y;
    }
  }
  return w.finish("mobilenetv2-224", {w.classify(w.relu6(w.conv(x, 1280, {1})), 1000)});
}

// He et al., 2016.
Network resnet_18() {
  Writer w;
  Wire x = w.max_pool(w.relu(w.conv(w.input(3, 224, 224), 64, {7, 2})), 3, 1);
  for (const int64_t channels : {64, 128, 256, 512}) {
    for (int i = 0; i < 2; ++i) {
      const int64_t stride = i == 0 && channels > 64 ? 2 : 1;
      Wire y = w.relu(w.conv(x, channels, {3, stride}));
      y = w.conv(y, channels, {3, 1, 1, -1, 0.5});
      const Wire past = stride == 2 ? w.conv(x, channels, {1, 2, 1, 0, 1}) : x;
      x = w.relu(w.sum(past, y));
    }
  }
  return w.finish("resnet18-224", {w.classify(x, 1000)});
}

// Wu et al., 2023: pointwise and depthwise pairs, three levels, four heads each.
Network yunet(int64_t side) {
  Writer w;
  const auto unit = [&](const Wire& x, int64_t channels, bool active) {
    const Wire y = w.conv(w.conv(x, channels, {1, 1, 1, -1, 1}), channels, {3, 1, channels, -1, active ? 2.0 : 1.0});
    return active ? w.relu(y) : y;
  };
  Wire x = unit(w.relu(w.conv(w.input(3, side, side), 16, {3, 2})), 16, true);
  std::vector<Wire> levels;
  for (int stage = 0; stage < 5; ++stage) {
    if (stage != 1) x = w.max_pool(x, 2, 0);
    x = unit(unit(x, stage == 0 ? 16 : 64, true), 64, true);
    if (stage > 1) levels.push_back(x);
  }
  for (size_t i = 2; i-- > 0;) levels[i] = w.sum(levels[i], w.upsample(unit(levels[i + 1], 64, true), "nearest"));
  std::vector<Wire> outputs;
  for (const Wire& level : levels) {
    const Wire head = unit(level, 64, true);
    for (const int64_t channels : {1, 1, 4, 10}) outputs.push_back(unit(head, channels, false));
  }
  return w.finish("yunet-" + std::to_string(side), outputs);
}

// MobileFaceSwap's generator (Xu et al., 2022): depthwise 4x4 down, bilinear up, 1x1 in between.
Network face_unet() {
  Writer w;
  Wire x = w.relu(w.conv(w.input(3, 224, 224), 32, {3}));
  std::vector<Wire> past;
  for (const int64_t channels : {64, 128, 256}) {
    past.push_back(x);
    x = w.relu(w.conv(w.conv(x, x.channels, {4, 2, x.channels, 1, 1}), channels, {1}));
  }
  for (int i = 0; i < 4; ++i) {
    x = w.sum(x, w.conv(w.relu(w.conv(w.conv(x, 256, {3, 1, 256, -1, 1}), 256, {1})), 256, {1, 1, 1, -1, 0.2}));
  }
  for (size_t i = 3; i-- > 0;) {
    const Wire up = w.join(w.upsample(x, "linear"), past[i]);
    x = w.relu(w.conv(w.conv(up, up.channels, {3, 1, up.channels, -1, 1}), past[i].channels, {1}));
  }
  return w.finish("face-unet-224", {w.apply("Sigmoid", w.conv(x, 3, {3, 1, 1, -1, 1}))});
}

// The middle of inswapper: 3x3 with instance normalisation at 32x32.
Network swap_blocks() {
  Writer w;
  Wire x = w.relu(w.conv(w.input(1024, 32, 32), 256, {3}));
  for (int i = 0; i < 3; ++i) {
    const Wire y = w.relu(w.instance_norm(w.conv(x, 256, {3})));
    x = w.sum(x, w.instance_norm(w.conv(y, 256, {3})));
  }
  return w.finish("swap-blocks-32", {x});
}

// Kong et al., 2022, in outline: three 3x3 and a 1x1 a block.
Network rlfn() {
  Writer w;
  const Wire head = w.conv(w.input(3, 180, 320), 48, {3, 1, 1, -1, 1});
  Wire x = head;
  for (int i = 0; i < 4; ++i) {
    Wire y = x;
    for (int k = 0; k < 3; ++k) y = w.apply("LeakyRelu", w.conv(y, 48, {3}));
    x = w.conv(w.sum(x, y), 48, {1, 1, 1, -1, 0.5});
  }
  x = w.sum(head, w.conv(x, 48, {3, 1, 1, -1, 1}));
  return w.finish("rlfn-180p", {w.shuffle(w.conv(x, 12, {3, 1, 1, -1, 1}), 2)});
}

// Real-ESRGAN's compact network (Wang et al., 2021).
Network srvgg() {
  Writer w;
  Wire x = w.prelu(w.conv(w.input(3, 128, 128), 64, {3}));
  for (int i = 0; i < 16; ++i) x = w.prelu(w.conv(x, 64, {3}));
  return w.finish("srvgg-compact-128", {w.shuffle(w.conv(x, 12, {3, 1, 1, -1, 1}), 2)});
}

}  // namespace

std::vector<Network> standard_networks() {
  return {mobilenet_v2(), resnet_18(), yunet(320), yunet(640), face_unet(), swap_blocks(), rlfn(), srvgg()};
}

}  // namespace coco::bench
