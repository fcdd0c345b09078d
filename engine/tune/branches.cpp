#include "tune/branches.h"

namespace coco::tune {
namespace {

torch::Tensor normal_tensor(const std::vector<int64_t>& shape, double deviation, Random& random) {
  torch::Tensor t = torch::empty(shape);
  float* p = t.data_ptr<float>();
  for (int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<float>(deviation * random.normal());
  return t;
}

/// Zeros around a kernel, up to `size` a side.
torch::Tensor embed(const torch::Tensor& kernel, int64_t size) {
  const int64_t margin = (size - kernel.size(2)) / 2;
  return margin == 0 ? kernel : torch::constant_pad_nd(kernel, {margin, margin, margin, margin});
}

torch::Tensor convolve(const torch::Tensor& input, const torch::Tensor& weight, int64_t group = 1) {
  return torch::conv2d(input, weight, {}, 1, weight.size(2) / 2, 1, group);
}

/// Sobel across, Sobel down, Laplacian: [3, 3, 3].
torch::Tensor edge_kernels(const torch::Tensor& like) {
  return torch::tensor({1.f, 0.f, -1.f, 2.f, 0.f,  -2.f, 1.f,  0.f,  -1.f,  //
                        1.f, 2.f, 1.f,  0.f, 0.f,  0.f,  -1.f, -2.f, -1.f,  //
                        0.f, 1.f, 0.f,  1.f, -4.f, 1.f,  0.f,  1.f,  0.f})
      .to(like.device())
      .view({3, 3, 3});
}

}  // namespace

BranchedKernel::BranchedKernel(const LayerSpec& spec, std::vector<int64_t> shape, Branches branches, double gain,
                               const std::string& prefix, Random& random, std::vector<NamedTensor>& parameters)
    : spec_(spec) {
  const auto add = [&](const char* name, torch::Tensor value) {
    value.set_requires_grad(true);
    parameters.push_back({prefix + name, value});
    return value;
  };
  const int64_t in = spec.in, out = spec.out, size = spec.kernel;
  const double taps = static_cast<double>(size) * static_cast<double>(size);
  const double fan = taps * (spec.depthwise ? 1.0 : static_cast<double>(in));
  direct_ = add("direct", normal_tensor(shape, gain * std::sqrt(2.0 / fan), random));
  if (branches == Branches::kPlain || size < 3 || size % 2 == 0) return;
  if (spec.depthwise) {
    point_ = add("point", normal_tensor({out, 1, 1, 1}, 0.5 * gain, random));
    edge_scale_ = add("edge_scale", normal_tensor({3, out}, 0.02 * gain, random));
    return;
  }
  const int64_t middle = 2 * std::max(in, out);
  const auto wide = static_cast<double>(middle), narrow = static_cast<double>(in);
  expand_ = add("expand", normal_tensor({middle, in, 1, 1}, std::sqrt(1.0 / narrow), random));
  squeeze_ =
      add("squeeze", normal_tensor({out, middle, size, size}, 0.5 * gain * std::sqrt(1.0 / (taps * wide)), random));
  point_ = add("point", normal_tensor({out, in, 1, 1}, 0.5 * gain * std::sqrt(1.0 / narrow), random));
  edge_mix_ = add("edge_mix", normal_tensor({3, out, in}, std::sqrt(1.0 / narrow), random));
  edge_scale_ = add("edge_scale", normal_tensor({3, out}, 0.02 * gain, random));
}

// sum over e of scale[e, o] * mix[e, o, i] * kernel[e, y, x]
torch::Tensor BranchedKernel::folded_edges() const {
  const int64_t out = spec_.out, in = spec_.depthwise ? 1 : spec_.in;
  const torch::Tensor scale = edge_scale_.unsqueeze(2);
  const torch::Tensor mixed = (edge_mix_.defined() ? edge_mix_ * scale : scale).view({3, -1});
  return mixed.t().mm(edge_kernels(direct_).view({3, 9})).view({out, in, 3, 3});
}

torch::Tensor BranchedKernel::folded_point() const {
  if (spec_.depthwise) return point_ + 1.0;
  if (spec_.in != spec_.out) return point_;
  return point_ + torch::eye(spec_.in, direct_.options().requires_grad(false)).view({spec_.in, spec_.in, 1, 1});
}

torch::Tensor BranchedKernel::folded() const {
  if (!point_.defined()) return direct_;
  const int64_t size = direct_.size(2);
  torch::Tensor weight = direct_;
  if (expand_.defined()) {
    // sum over m of squeeze[o, m, y, x] * expand[m, i]
    weight =
        weight +
        torch::matmul(squeeze_.permute({0, 2, 3, 1}), expand_.view({expand_.size(0), spec_.in})).permute({0, 3, 1, 2});
  }
  return weight + embed(folded_edges(), size) + embed(folded_point(), size);
}

torch::Tensor BranchedKernel::run_edges(const torch::Tensor& input) const {
  const torch::Tensor kernels = edge_kernels(direct_);
  torch::Tensor sum;
  for (int64_t e = 0; e < 3; ++e) {
    const torch::Tensor mixed =
        edge_mix_.defined() ? convolve(input, edge_mix_[e].view({spec_.out, spec_.in, 1, 1})) : input;
    const torch::Tensor one = kernels[e].expand({spec_.out, 1, 3, 3}) * edge_scale_[e].view({-1, 1, 1, 1});
    const torch::Tensor filtered = convolve(mixed, one, spec_.out);
    sum = sum.defined() ? sum + filtered : filtered;
  }
  return sum;
}

torch::Tensor BranchedKernel::run(const torch::Tensor& input) const {
  const int64_t group = spec_.depthwise ? spec_.in : 1;
  torch::Tensor sum = convolve(input, direct_, group);
  if (expand_.defined()) sum = sum + convolve(convolve(input, expand_), squeeze_);
  if (!point_.defined()) return sum;
  sum = sum + convolve(input, point_, group) + run_edges(input);
  return spec_.in == spec_.out ? sum + input : sum;
}

void BranchedKernel::set(const torch::Tensor& kernel) {
  const torch::NoGradGuard no_grad;
  direct_.add_(kernel - folded());
}

}  // namespace coco::tune
