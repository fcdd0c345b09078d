#include "tune/patch_step.h"

#include <algorithm>
#include <cmath>

namespace coco::tune {
namespace {

constexpr int64_t kMargin = 16;  // floats left and right of a padded row: one is read, sixteen keep rows aligned

// Output sample o sits at u = max((o + 0.5) / scale - 0.5, 0): half pixel centres, edges clamped.
struct LinearTap {
  int first, second;
  float weight;  // of the second
};

LinearTap linear_tap(int o, int scale, int size) {
  const double u = std::max((o + 0.5) / scale - 0.5, 0.0);
  const int first = std::min(static_cast<int>(u), size - 1);
  return {first, std::min(first + 1, size - 1), static_cast<float>(u - first)};
}

bool has_slope(const LayerSpec& spec) { return spec.activation == Activation::kPrelu; }

}  // namespace

bool patch_step_supported(const Architecture& architecture, int patch) {
  if (patch % 8 != 0 || !is_plain_stack(architecture) || !patch_kernels_supported()) return false;
  for (size_t i = 0; i < architecture.layers.size(); ++i) {
    const LayerSpec& l = architecture.layers[i];
    if (l.out % 4 != 0 || (i > 0 && l.in % 4 != 0)) return false;
  }
  return true;
}

PatchStep::PatchStep(const Architecture& architecture, int patch)
    : architecture_(architecture),
      patch_(patch),
      stride_(patch + 2 * kMargin),
      plane_(stride_ * (patch + 2)),
      origin_(stride_ + kMargin),
      input_(static_cast<size_t>(plane_)) {
  COCO_CHECK(patch_step_supported(architecture, patch), "ask first");
  const int out = patch * architecture.scale;
  residual_.resize(static_cast<size_t>(out) * static_cast<size_t>(out));
  for (const LayerSpec& spec : architecture.layers) {
    LayerBuffers b;
    const auto planes = static_cast<size_t>(plane_ * spec.out);
    b.before.resize(planes);
    b.gradient.resize(planes);
    if (has_slope(spec)) b.after.resize(planes);
    layers_.push_back(std::move(b));
    PlainLayer g{spec, {}, {}, {}};
    g.weight.resize(static_cast<size_t>(spec.out * spec.in * 9));
    g.bias.resize(static_cast<size_t>(spec.out));
    if (has_slope(spec)) g.slope.resize(static_cast<size_t>(spec.out));
    gradient_.layers.push_back(std::move(g));
  }
}

const float* PatchStep::input_of(size_t layer) const {
  if (layer == 0) return input_.data() + origin_;
  const LayerBuffers& b = layers_[layer - 1];
  return (b.after.empty() ? b.before : b.after).data() + origin_;
}

void PatchStep::pack(const PlainNet& net) {
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const PlainLayer& layer = net.layers[l];
    const float* weight = layer.weight.data();
    pack_conv3x3(patch_, weight, layer.spec.in, layer.spec.out, layers_[l].packed);
    if (l > 0) pack_conv3x3_backward(patch_, weight, layer.spec.in, layer.spec.out, layers_[l].packed_back);
  }
}

void PatchStep::load_patch(const PatchBatch& batch, size_t index) {
  const int scale = architecture_.scale, out = patch_ * scale;
  const uint8_t* lr = batch.lr.data() + index * static_cast<size_t>(patch_) * static_cast<size_t>(patch_);
  const uint8_t* hr = batch.hr.data() + index * static_cast<size_t>(out) * static_cast<size_t>(out);
  constexpr float kUnit = 1.f / 255.f;
  for (int y = 0; y < patch_; ++y) {
    float* row = input_.data() + origin_ + y * stride_;
    for (int x = 0; x < patch_; ++x) row[x] = static_cast<float>(lr[y * patch_ + x]) * kUnit;
  }
  std::vector<float> line(static_cast<size_t>(patch_));
  std::vector<LinearTap> taps;
  for (int o = 0; o < out; ++o) taps.push_back(linear_tap(o, scale, patch_));
  for (int y = 0; y < out; ++y) {
    const LinearTap v = taps[static_cast<size_t>(y)];
    const float* a = input_.data() + origin_ + v.first * stride_;
    const float* b = input_.data() + origin_ + v.second * stride_;
    for (int x = 0; x < patch_; ++x) line[static_cast<size_t>(x)] = a[x] + v.weight * (b[x] - a[x]);
    for (int x = 0; x < out; ++x) {
      const LinearTap h = taps[static_cast<size_t>(x)];
      const float left = line[static_cast<size_t>(h.first)], right = line[static_cast<size_t>(h.second)];
      const auto at = static_cast<size_t>(y * out + x);
      residual_[at] = static_cast<float>(hr[at]) * kUnit - (left + h.weight * (right - left));
    }
  }
}

void PatchStep::forward(const PlainNet& net) {
  const PlaneGrid grid{patch_, stride_, plane_};
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const PlainLayer& layer = net.layers[l];
    LayerBuffers& b = layers_[l];
    conv3x3(grid, input_of(l), b.packed, layer.bias.data(), b.before.data() + origin_);
    if (has_slope(layer.spec)) {
      prelu(grid, b.before.data() + origin_, layer.slope.data(), layer.spec.out, b.after.data() + origin_);
    }
  }
}

// Channel s * dy + dx of the last layer is the residual at (scale y + dy, scale x + dx). Leaves the difference to it in
// the last layer's gradient planes and returns the mean of |d| or d^2.
double PatchStep::difference(bool squared) {
  const int scale = architecture_.scale, out = patch_ * scale;
  LayerBuffers& last = layers_.back();
  double sum = 0;
  for (int c = 0; c < scale * scale; ++c) {
    for (int y = 0; y < patch_; ++y) {
      const int64_t at = origin_ + c * plane_ + y * stride_;
      const float* target = residual_.data() + (y * scale + c / scale) * out + c % scale;
      float row_sum = 0;
      for (int x = 0; x < patch_; ++x) {
        const float d = last.before[static_cast<size_t>(at + x)] - target[x * scale];
        last.gradient[static_cast<size_t>(at + x)] = d;
        row_sum += squared ? d * d : std::fabs(d);
      }
      sum += row_sum;
    }
  }
  return sum / static_cast<double>(residual_.size());
}

// The patch's share of the loss of a batch of `patches`; the gradient planes go from difference to gradient.
double PatchStep::loss_gradient(LossKind loss, int patches) {
  const double mean = difference(loss != LossKind::kAbsolute);
  double unit = 1.0 / (static_cast<double>(residual_.size()) * patches);
  if (loss == LossKind::kLogSquared) unit /= mean + kLogFloor;
  const auto scale = static_cast<float>(loss == LossKind::kAbsolute ? unit : 2.0 * unit);
  for (float& d : layers_.back().gradient) {
    if (loss == LossKind::kAbsolute) {
      d = d > 0.f ? scale : (d < 0.f ? -scale : 0.f);
    } else {
      d *= scale;
    }
  }
  return (loss == LossKind::kLogSquared ? std::log1p(mean / kLogFloor) : mean) / patches;
}

void PatchStep::backward(const PlainNet& net) {
  const PlaneGrid grid{patch_, stride_, plane_};
  for (size_t l = net.layers.size(); l-- > 0;) {
    const PlainLayer& layer = net.layers[l];
    PlainLayer& g = gradient_.layers[l];
    float* gradient = layers_[l].gradient.data() + origin_;
    if (has_slope(layer.spec)) {
      prelu_gradient(grid, layers_[l].before.data() + origin_, layer.slope.data(), layer.spec.out, gradient,
                     g.slope.data());
    }
    conv3x3_weight_gradient(grid, input_of(l), layer.spec.in, gradient, layer.spec.out, g.weight.data(), g.bias.data());
    if (l > 0) {
      conv3x3(grid, gradient, layers_[l].packed_back, nullptr, layers_[l - 1].gradient.data() + origin_);
    }
  }
}

const StackGradient& PatchStep::run(const PlainNet& net, const PatchBatch& batch, LossKind loss) {
  COCO_CHECK(batch.size == patch_ && batch.scale == architecture_.scale, "the buffers are made for one patch size");
  gradient_.loss = 0;
  for (PlainLayer& l : gradient_.layers) {
    std::fill(l.weight.begin(), l.weight.end(), 0.f);
    std::fill(l.bias.begin(), l.bias.end(), 0.f);
    std::fill(l.slope.begin(), l.slope.end(), 0.f);
  }
  pack(net);
  for (size_t i = 0; i < static_cast<size_t>(batch.count); ++i) {
    load_patch(batch, i);
    forward(net);
    gradient_.loss += loss_gradient(loss, batch.count);
    backward(net);
  }
  return gradient_;
}

}  // namespace coco::tune
