#include "tune/qat/quant_chain.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <cstring>

#include "tune/patch_kernels.h"

namespace coco::tune {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kMargin = 8;  // floats left and right of a padded row: one is read, eight keep rows aligned
constexpr size_t kNumbers = 4;  // tensors of a layer

struct Layer {
  int in = 0, out = 0;
  float low = 0, high = 0;
  PackedConv packed, packed_back;
  const float *bias = nullptr, *scale = nullptr, *negative = nullptr;
  int64_t input = 0, sums = 0, steps = 0;  ///< where its planes stand in those of a patch
  bool real() const { return std::isinf(low); }
};

/// The planes of one patch, each with a border of zeros: the input, then sums and steps of each layer.
class Chain {
 public:
  /// `numbers`: contiguous, kNumbers a layer; they must outlive the object.
  Chain(const Tensor& bounds, const variable_list& numbers, int64_t size)
      : grid_{static_cast<int>(size), size + 2 * kMargin, (size + 2 * kMargin) * (size + 2)},
        origin_(grid_.stride + kMargin) {
    int64_t input = 0;
    floats_ = numbers[0].size(1) * grid_.plane;
    for (size_t l = 0; l < numbers.size() / kNumbers; ++l) {
      const Tensor* own = numbers.data() + l * kNumbers;
      Layer layer;
      layer.in = static_cast<int>(own[0].size(1));
      layer.out = static_cast<int>(own[0].size(0));
      layer.low = bounds.data_ptr<float>()[2 * l];
      layer.high = bounds.data_ptr<float>()[2 * l + 1];
      const auto* w = own[0].data_ptr<float>();
      pack_conv3x3(grid_.size, w, layer.in, layer.out, layer.packed);
      if (l > 0) pack_conv3x3_backward(grid_.size, w, layer.in, layer.out, layer.packed_back);
      layer.bias = own[1].data_ptr<float>();
      layer.scale = own[2].data_ptr<float>();
      layer.negative = own[3].data_ptr<float>();
      layer.input = input;
      layer.sums = floats_;
      layer.steps = input = layer.sums + layer.out * grid_.plane;
      floats_ = layer.steps + (layer.real() ? 0 : layer.out * grid_.plane);
      layers_.push_back(std::move(layer));
    }
  }

  int64_t floats() const { return floats_; }
  const std::vector<Layer>& layers() const { return layers_; }

  /// planes: zeros at first.
  void forward(const float* input, float* planes) const {
    copy_in(input, layers_[0].in, planes);
    for (const Layer& l : layers_) {
      float* sums = planes + l.sums + origin_;
      conv3x3(grid_, planes + l.input + origin_, l.packed, l.bias, sums);
      if (!l.real()) requantize(grid_, sums, l.scale, l.negative, l.out, l.low, l.high, planes + l.steps + origin_);
    }
  }

  void result(const float* planes, float* to) const {
    const Layer& last = layers_.back();
    each_row(last.out, [&](int c, int64_t at, int64_t dense) {
      const float* from = planes + (last.real() ? last.sums : last.steps) + at;
      if (!last.real()) {
        std::memcpy(to + dense, from, static_cast<size_t>(grid_.size) * sizeof(float));
        return;
      }
      for (int x = 0; x < grid_.size; ++x) to[dense + x] = from[x] * (from[x] < 0 ? last.negative[c] : last.scale[c]);
    });
  }

  /// Adds this patch's gradients to `sums`, kNumbers tensors a layer. scratch: a patch's planes, borders zero.
  void backward(const float* gradient, const float* planes, float* scratch, variable_list& sums) const {
    copy_in(gradient, layers_.back().out, scratch + layers_.back().sums);
    for (size_t n = layers_.size(); n-- > 0;) {
      const Layer& l = layers_[n];
      const auto to = [&](size_t k) { return sums[n * kNumbers + k].data_ptr<float>(); };
      float* own = scratch + l.sums + origin_;
      requantize_gradient(grid_, planes + l.sums + origin_, l.scale, l.negative, l.out, l.low, l.high, own, to(2),
                          to(3));
      conv3x3_weight_gradient(grid_, planes + l.input + origin_, l.in, own, l.out, to(0), to(1));
      if (n > 0) {
        conv3x3(grid_, own, l.packed_back, nullptr, scratch + layers_[n - 1].sums + origin_);
      }
    }
  }

 private:
  /// fn(channel, offset in padded planes, offset in dense ones)
  template <typename F>
  void each_row(int channels, F fn) const {
    for (int c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < grid_.size; ++y)
        fn(c, c * grid_.plane + origin_ + y * grid_.stride, (c * int64_t{grid_.size} + y) * grid_.size);
    }
  }
  void copy_in(const float* dense, int channels, float* planes) const {
    each_row(channels, [&](int, int64_t at, int64_t from) {
      std::memcpy(planes + at, dense + from, static_cast<size_t>(grid_.size) * sizeof(float));
    });
  }

  PlaneGrid grid_;
  int64_t origin_ = 0, floats_ = 0;
  std::vector<Layer> layers_;
};

/// The gradient of the input is not computed: it is a picture.
struct RunChain : torch::autograd::Function<RunChain> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& bounds, at::TensorList numbers) {
    const variable_list kept(numbers.begin(), numbers.end());
    const Chain chain(bounds, kept, input.size(2));
    const int64_t count = input.size(0), outputs = chain.layers().back().out;
    const Tensor planes = torch::zeros({count, chain.floats()});
    Tensor result = torch::empty({count, outputs, input.size(2), input.size(3)});
    for (int64_t n = 0; n < count; ++n) {
      float* own = planes.data_ptr<float>() + n * chain.floats();
      chain.forward(input.data_ptr<float>() + n * input.stride(0), own);
      chain.result(own, result.data_ptr<float>() + n * result.stride(0));
    }
    variable_list saved{planes, bounds};
    saved.insert(saved.end(), kept.begin(), kept.end());
    context->save_for_backward(std::move(saved));
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const variable_list numbers(saved.begin() + 2, saved.end());
    const Tensor &planes = saved[0], gradient = gradients[0].contiguous();
    const Chain chain(saved[1], numbers, gradient.size(2));
    variable_list sums;
    for (const Tensor& number : numbers) sums.push_back(torch::zeros_like(number));
    const Tensor scratch = torch::zeros({chain.floats()});
    for (int64_t n = 0; n < gradient.size(0); ++n) {
      chain.backward(gradient.data_ptr<float>() + n * gradient.stride(0), planes.data_ptr<float>() + n * chain.floats(),
                     scratch.data_ptr<float>(), sums);
    }
    variable_list result(2);
    result.insert(result.end(), sums.begin(), sums.end());
    return result;
  }
};

}  // namespace

bool chain_supported(const std::vector<int64_t>& channels) {
  bool fits = patch_kernels_supported() && channels.size() > 1;
  for (size_t i = 1; fits && i < channels.size(); ++i) fits = channels[i] % 4 == 0;
  return fits;
}

bool chain_fits(const Tensor& input) {
  return input.is_cpu() && input.scalar_type() == torch::kFloat32 && !input.requires_grad() &&
         input.size(2) == input.size(3) && input.size(2) % 8 == 0;
}

Tensor run_chain(const Tensor& input, const Tensor& bounds, const std::vector<ChainNumbers>& layers) {
  std::vector<Tensor> numbers;
  for (const ChainNumbers& l : layers) {
    for (const Tensor& t : {l.weight, l.bias, l.scale, l.negative.defined() ? l.negative : l.scale})
      numbers.push_back(t.contiguous());
  }
  return RunChain::apply(input.contiguous(), bounds, at::TensorList(numbers));
}

}  // namespace coco::tune
