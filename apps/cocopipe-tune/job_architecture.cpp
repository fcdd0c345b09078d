#include "apps/cocopipe-tune/job.h"
#include "pipelines/loader/message.h"

namespace coco::jobs {
namespace {

using tune::Activation;
using tune::Architecture;
using tune::LayerSpec;

enum class LayerKind { kConvolution, kDepthwise, kSeparable };

constexpr std::initializer_list<std::pair<const char*, Activation>> kActivations = {{"none", Activation::kNone},
                                                                                    {"prelu", Activation::kPrelu},
                                                                                    {"relu", Activation::kRelu},
                                                                                    {"clip", Activation::kClip},
                                                                                    {"tanh", Activation::kTanh}};

/// Channels of the last layer when none are given: what the end makes pixels of.
int channels_of_end(const Architecture& a) {
  const int block = a.scale * a.unshuffle;
  return a.end == tune::End::kShuffle ? block * block : 1;
}

void append(Architecture& a, LayerKind kind, LayerSpec spec) {
  if (kind == LayerKind::kSeparable) {
    a.layers.push_back({spec.in, spec.in, Activation::kNone, spec.kernel, true});
    spec.kernel = 1;
  }
  spec.depthwise = kind == LayerKind::kDepthwise;
  a.layers.push_back(spec);
}

Status read_layer(const JobSource& source, const loader::YamlNode& node, bool last, Architecture& a) {
  MapReader reader(source, node, "a layer");
  LayerKind kind = LayerKind::kConvolution;
  LayerSpec spec;
  int repeat = 1;
  double clip = spec.clip;
  spec.in = a.layers.empty() ? a.unshuffle * a.unshuffle : a.layers.back().out;
  spec.activation = last ? Activation::kNone : Activation::kPrelu;
  if (last && a.end == tune::End::kDeconvolution) spec.kernel = 9;
  reader.choice("kind", kind,
                {std::pair{"convolution", LayerKind::kConvolution}, std::pair{"depthwise", LayerKind::kDepthwise},
                 std::pair{"separable", LayerKind::kSeparable}});
  reader.whole("channels", spec.out, 1, 1024);
  reader.whole("kernel", spec.kernel, 1, 15);
  reader.choice("activation", spec.activation, kActivations);
  reader.number("clip", clip, 1e-6, 1e6);
  reader.whole("repeat", repeat, 1, 64);
  COCO_TRY(reader.finish());
  spec.clip = static_cast<float>(clip);
  if (spec.out == 0) spec.out = kind == LayerKind::kDepthwise ? spec.in : last ? channels_of_end(a) : 0;
  if (spec.out == 0) return error_in(source, node.position, "no 'channels:' in a layer that is not the last one");
  for (int i = 0; i < repeat; ++i) {
    append(a, kind, spec);
    spec.in = spec.out;
  }
  return {};
}

}  // namespace

Status read_architecture(const JobSource& source, const loader::YamlNode& node, Architecture& architecture) {
  if (node.kind == loader::YamlNode::Kind::kScalar) {
    auto found = tune::find_architecture(node.scalar);
    if (!found.ok()) {
      return error_in(source, node.position,
                      found.error().message + loader::did_you_mean(node.scalar, tune::architecture_names()));
    }
    architecture = std::move(found).value();
    return {};
  }
  Architecture a;
  a.name = "network";
  MapReader reader(source, node, "'architecture'");
  reader.text("name", a.name);
  reader.whole("scale", a.scale, 1, 8);
  reader.whole("unshuffle", a.unshuffle, 1, 8);
  reader.choice("base", a.base,
                {std::pair{"none", tune::Base::kNone}, std::pair{"nearest", tune::Base::kNearest},
                 std::pair{"bilinear", tune::Base::kBilinear}, std::pair{"bicubic", tune::Base::kBicubic}});
  reader.choice("end", a.end,
                {std::pair{"shuffle", tune::End::kShuffle}, std::pair{"deconvolution", tune::End::kDeconvolution}});
  const loader::YamlNode* layers = reader.list("layers");
  if (layers == nullptr) reader.fail(node.position, "no 'layers:' list in 'architecture'");
  COCO_TRY(reader.finish());
  for (const loader::YamlNode& layer : layers->items) {
    COCO_TRY(read_layer(source, layer, &layer == &layers->items.back(), a));
  }
  const Status fits = tune::check_architecture(a);
  if (!fits.ok()) return error_in(source, node.position, fits.error().message);
  architecture = std::move(a);
  return {};
}

}  // namespace coco::jobs
