#include "tune/architecture.h"

#include <algorithm>

namespace coco::tune {
namespace {

/// `depth` 3x3 layers of `width` channels between the first and the last one.
Architecture plain_stack(std::string name, int scale, int width, int depth) {
  Architecture a{std::move(name), scale, {{1, width, Activation::kPrelu}}};
  for (int i = 0; i < depth; ++i) a.layers.push_back({width, width, Activation::kPrelu});
  a.layers.push_back({width, scale * scale});
  return a;
}

/// 5x5 and 3x3 layers on the low resolution, pixels out of channels at the end.
Architecture espcn() {
  Architecture a{"espcn", 2, {{1, 64, Activation::kTanh, 5}, {64, 32, Activation::kTanh}, {32, 4}}};
  a.base = Base::kNone;
  return a;
}

/// 5x5 features, shrunk by 1x1, mapped by 3x3, expanded by 1x1.
Architecture fsrcnn(std::string name, End end) {
  const Activation act = Activation::kPrelu;
  Architecture a{std::move(name), 2, {{1, 56, act, 5}, {56, 12, act, 1}}};
  for (int i = 0; i < 4; ++i) a.layers.push_back({12, 12, act});
  a.layers.push_back({12, 56, act, 1});
  a.layers.push_back(end == End::kShuffle ? LayerSpec{56, 4} : LayerSpec{56, 1, Activation::kNone, 9});
  a.end = end;
  a.base = Base::kNone;
  return a;
}

const std::vector<Architecture>& registry() {
  static const std::vector<Architecture> all = {
      plain_stack("sr2x-s", 2, 8, 4),  plain_stack("sr2x-m", 2, 16, 4),
      plain_stack("sr2x-l", 2, 32, 4), espcn(),
      fsrcnn("fsrcnn", End::kShuffle), fsrcnn("fsrcnn-deconvolution", End::kDeconvolution),
  };
  return all;
}

Error misfit(size_t layer, const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, "layer " + std::to_string(layer + 1) + " " + what);
}

Status check_layer(const Architecture& a, size_t i) {
  const LayerSpec& l = a.layers[i];
  const int in = i == 0 ? a.unshuffle * a.unshuffle : a.layers[i - 1].out;
  if (l.out < 1 || l.out > 1024) return misfit(i, "has " + std::to_string(l.out) + " channels; give 1 to 1024");
  if (l.in != in) {
    return misfit(i, "takes " + std::to_string(l.in) + " channels, but gets " + std::to_string(in));
  }
  if (l.kernel < 1 || l.kernel > 15) return misfit(i, "has a kernel of " + std::to_string(l.kernel) + "; give 1 to 15");
  if (is_transposed(a, i)) {
    if (l.kernel < a.scale) return misfit(i, "has a kernel smaller than the scale; its result would have holes");
  } else if (l.kernel % 2 == 0) {
    return misfit(i, "has an even kernel; give 1, 3, 5, ...");
  }
  if (l.depthwise && (l.in != l.out || is_transposed(a, i))) {
    return misfit(i, "is depthwise, so it must give as many channels as it takes");
  }
  if (l.activation == Activation::kClip && !(l.clip > 0)) return misfit(i, "is clipped at 0; give a higher value");
  return {};
}

}  // namespace

Result<Architecture> find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture& a : registry()) {
    if (a.name == name) return a;
    known += (known.empty() ? "" : ", ") + a.name;
  }
  return make_error(ErrorCode::kNotFound, "no architecture is called '" + std::string(name) + "'; known are: " + known);
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& a : registry()) names.push_back(a.name);
  return names;
}

Status check_architecture(const Architecture& a) {
  if (a.scale < 1 || a.scale > 8) return make_error(ErrorCode::kInvalidArgument, "the scale must be 1 to 8");
  if (a.unshuffle < 1 || a.unshuffle > 8) return make_error(ErrorCode::kInvalidArgument, "unshuffle must be 1 to 8");
  if (a.layers.empty()) return make_error(ErrorCode::kInvalidArgument, "the architecture has no layers");
  if (a.layers.size() > 256) return make_error(ErrorCode::kInvalidArgument, "more than 256 layers");
  if (a.end == End::kDeconvolution && a.unshuffle > 1) {
    return make_error(ErrorCode::kInvalidArgument, "an unshuffled input needs the end 'shuffle'");
  }
  for (size_t i = 0; i < a.layers.size(); ++i) COCO_TRY(check_layer(a, i));
  const int block = a.scale * a.unshuffle, wanted = a.end == End::kShuffle ? block * block : 1;
  if (a.layers.back().out != wanted) {
    return misfit(a.layers.size() - 1,
                  "is the last one and must have " + std::to_string(wanted) + " channels for this end and scale");
  }
  return {};
}

bool is_transposed(const Architecture& a, size_t index) {
  return a.end == End::kDeconvolution && index + 1 == a.layers.size();
}

bool is_plain_stack(const Architecture& a) {
  return a.unshuffle == 1 && a.end == End::kShuffle && a.base == Base::kBilinear &&
         std::all_of(a.layers.begin(), a.layers.end(), [](const LayerSpec& l) {
           return l.kernel == 3 && !l.depthwise &&
                  (l.activation == Activation::kPrelu || l.activation == Activation::kNone);
         });
}

std::vector<int64_t> weight_shape(const Architecture& a, size_t index) {
  const LayerSpec& l = a.layers[index];
  if (is_transposed(a, index)) return {l.in, l.out, l.kernel, l.kernel};
  return {l.out, l.depthwise ? 1 : l.in, l.kernel, l.kernel};
}

int64_t parameter_count(const Architecture& a) {
  int64_t sum = 0;
  for (const LayerSpec& l : a.layers) {
    const int64_t weights = static_cast<int64_t>(l.depthwise ? 1 : l.in) * l.kernel * l.kernel;
    sum += l.out * (weights + 1 + (l.activation == Activation::kPrelu ? 1 : 0));
  }
  return sum;
}

int64_t macs_per_pixel(const Architecture& a) {
  int64_t sum = 0;
  for (const LayerSpec& l : a.layers)
    sum += static_cast<int64_t>(l.out) * (l.depthwise ? 1 : l.in) * l.kernel * l.kernel;
  return sum / (a.unshuffle * a.unshuffle);
}

}  // namespace coco::tune
