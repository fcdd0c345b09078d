// Operators on u8 activations between integer convolutions, on rows in words of four channels.
#include <algorithm>
#include <cmath>

#include "backends/cpu/resize_table.h"
#include "backends/cpu/row_bind.h"
#include "kernels/dense/resize_taps.h"

namespace coco::backends {
namespace {

using kernels::StepsRowKernel;

const StepsRowKernel& kernel_of(const Capabilities& capabilities) {
  return *choose<kernels::StepsRowSlot>(capabilities);
}

const uint32_t* words(const RowInput& in, int y, int plane, int column) {
  return reinterpret_cast<const uint32_t*>(in.at(y, plane, column));
}
uint32_t* words(const RowArgs& args, int plane) {
  return reinterpret_cast<uint32_t*>(args.out + plane * args.out_channel_stride);
}

class StepsSource : public RowOp {
 public:
  StepsSource(int binding, RowTensor tensor, const Capabilities& capabilities)
      : binding_(binding), tensor_(tensor), kernel_(kernel_of(capabilities)) {}
  Interval rows_needed(int, int) const override { return {}; }
  Interval cols_needed(int, Interval) const override { return {}; }
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    const auto* row = static_cast<const uint8_t*>(binding.data) + args.y * binding.row_stride + args.x.begin;
    for (int p = 0; p < tensor_.planes(); ++p) {
      const uint8_t* planes[4] = {};
      for (int c = 4 * p; c < std::min(4 * p + 4, tensor_.channels); ++c)
        planes[c % 4] = row + c * binding.channel_stride;
      kernel_.join(planes, args.x.size(), words(args, p));
    }
  }

 private:
  int binding_;
  RowTensor tensor_;
  const StepsRowKernel& kernel_;
};

class StepsSink : public PointwiseOp {
 public:
  StepsSink(int binding, RowTensor tensor, const Capabilities& capabilities)
      : binding_(binding), tensor_(tensor), kernel_(kernel_of(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    auto* row = static_cast<uint8_t*>(binding.data) + args.y * binding.row_stride + args.x.begin;
    for (int p = 0; p < tensor_.planes(); ++p) {
      uint8_t* planes[4] = {};
      for (int c = 4 * p; c < std::min(4 * p + 4, tensor_.channels); ++c)
        planes[c % 4] = row + c * binding.channel_stride;
      kernel_.split(words(args.inputs[0], args.y, p, args.x.begin), args.x.size(), planes);
    }
  }

 private:
  int binding_;
  RowTensor tensor_;
  const StepsRowKernel& kernel_;
};

/// Maxima: the rows of a window first, then its columns.
class StepsMaxPool : public RowOp {
 public:
  StepsMaxPool(const format::Pool2dParams& params, RowTensor input, const Capabilities& capabilities)
      : p_(params), input_(input), kernel_(kernel_of(capabilities)) {}
  Interval rows_needed(int, int y) const override { return pool_reach(p_, 0, {y, y + 1}, input_.height); }
  Interval cols_needed(int, Interval x) const override { return pool_reach(p_, 1, x, input_.width); }
  size_t scratch_floats(int width) const override {
    const int64_t columns = (width - 1) * p_.stride[1] + (p_.kernel[1] - 1) * p_.dilation[1] + 1;
    return static_cast<size_t>(columns) + kernels::kStepsRowSlop;
  }
  void run(const RowArgs& args) const noexcept override {
    const Interval columns = cols_needed(0, args.x);
    auto* most = reinterpret_cast<uint32_t*>(args.scratch);
    for (int plane = 0; plane < input_.planes(); ++plane) {
      const uint32_t* seen = nullptr;
      for (int ky = 0; ky < p_.kernel[0]; ++ky) {
        const auto y = static_cast<int>(args.y * p_.stride[0] - p_.pads[0] + ky * p_.dilation[0]);
        if (y < 0 || y >= input_.height) continue;
        const uint32_t* in = words(args.inputs[0], y, plane, columns.begin);
        kernel_.max(seen != nullptr ? seen : in, in, columns.size(), most);
        seen = most;
      }
      uint32_t* out = words(args, plane);
      for (int x = args.x.begin; x < args.x.end; ++x) out[x - args.x.begin] = column(most, columns, x);
    }
  }

 private:
  uint32_t column(const uint32_t* row, Interval columns, int x) const {
    const auto first = static_cast<int>(x * p_.stride[1] - p_.pads[1]);
    uint8_t most[4] = {};
    for (int kx = 0; kx < p_.kernel[1]; ++kx) {
      const int at = first + kx * static_cast<int>(p_.dilation[1]);
      if (at < 0 || at >= input_.width) continue;
      const auto* word = reinterpret_cast<const uint8_t*>(row + (at - columns.begin));
      for (int i = 0; i < 4; ++i) most[i] = std::max(most[i], word[i]);
    }
    uint32_t result;
    std::copy_n(most, 4, reinterpret_cast<uint8_t*>(&result));
    return result;
  }

  const format::Pool2dParams p_;
  const RowTensor input_;
  const StepsRowKernel& kernel_;
};

/// Channels from anywhere: concat, and slices of channels.
class StepsChannels : public PointwiseOp {
 public:
  struct From {
    int input, channel;
  };
  explicit StepsChannels(std::vector<From> from) : from_(std::move(from)) {}
  void run(const RowArgs& args) const noexcept override {
    for (size_t first = 0; first < from_.size(); first += 4) {
      uint32_t* out = words(args, static_cast<int>(first / 4));
      if (is_word(first)) {
        const From& f = from_[first];
        std::copy_n(words(args.inputs[f.input], args.y, f.channel / 4, args.x.begin), args.x.size(), out);
        continue;
      }
      for (size_t i = 0; i < 4 && first + i < from_.size(); ++i) {
        const From& f = from_[first + i];
        const auto* in =
            reinterpret_cast<const uint8_t*>(words(args.inputs[f.input], args.y, f.channel / 4, args.x.begin));
        auto* to = reinterpret_cast<uint8_t*>(out) + i;
        for (int x = 0; x < args.x.size(); ++x) to[4 * x] = in[4 * x + f.channel % 4];
      }
    }
  }

 private:
  /// The channels of one word of an input, in its order; missing ones at the end may be any.
  bool is_word(size_t first) const {
    for (size_t i = 0; i < 4 && first + i < from_.size(); ++i) {
      const From &f = from_[first + i], &start = from_[first];
      if (f.input != start.input || f.channel != start.channel + static_cast<int>(i) || start.channel % 4 != 0)
        return false;
    }
    return true;
  }
  std::vector<From> from_;
};

class StepsLookup : public PointwiseOp {
 public:
  StepsLookup(std::span<const uint8_t> table, int planes, const Capabilities& capabilities)
      : table_(table.begin(), table.end()), planes_(planes), kernel_(kernel_of(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    for (int p = 0; p < planes_; ++p)
      kernel_.lookup(table_.data(), words(args.inputs[0], args.y, p, args.x.begin), args.x.size(), words(args, p));
  }

 private:
  std::vector<uint8_t> table_;
  int planes_;
  const StepsRowKernel& kernel_;
};

/// Two tensors of equal size, or the second of one pixel.
class StepsBinary : public RowOp {
 public:
  StepsBinary(const format::QuantBinaryParams& params, int planes, bool one_b, const Capabilities& capabilities)
      : params_(params), planes_(planes), one_b_(one_b), kernel_(kernel_of(capabilities)) {}
  Interval rows_needed(int input, int y) const override {
    return input == 1 && one_b_ ? Interval{0, 1} : Interval{y, y + 1};
  }
  Interval cols_needed(int input, Interval x) const override { return input == 1 && one_b_ ? Interval{0, 1} : x; }
  void run(const RowArgs& args) const noexcept override {
    for (int p = 0; p < planes_; ++p) {
      const uint32_t* b = one_b_ ? words(args.inputs[1], 0, p, 0) : words(args.inputs[1], args.y, p, args.x.begin);
      kernel_.binary(params_, words(args.inputs[0], args.y, p, args.x.begin), b, one_b_, args.x.size(), words(args, p));
    }
  }

 private:
  format::QuantBinaryParams params_;
  int planes_;
  bool one_b_;
  const StepsRowKernel& kernel_;
};

/// Nearest and linear interpolation by tables.
class StepsResize : public RowOp {
 public:
  StepsResize(const format::ResizeParams& params, RowTensor input, RowTensor result, const Capabilities& capabilities)
      : input_(input),
        rows_(steps_resize_axis(params, 2, input.height, result.height)),
        columns_(steps_resize_axis(params, 3, input.width, result.width)),
        kernel_(kernel_of(capabilities)) {}
  Interval rows_needed(int, int y) const override { return {rows_.first[y], rows_.second[y] + 1}; }
  Interval cols_needed(int, Interval x) const override {
    return {columns_.first[x.begin], columns_.second[x.end - 1] + 1};
  }
  size_t scratch_floats(int width) const override {
    // Words of interpolated rows, in 16 bits, and indices of columns from the first one held.
    const int64_t columns = int64_t(width) * input_.width / static_cast<int64_t>(columns_.first.size()) + 8;
    return static_cast<size_t>(2 * (std::min<int64_t>(columns, input_.width) + kernels::kStepsRowSlop) + 2 * width);
  }
  void run(const RowArgs& args) const noexcept override {
    const Interval columns = cols_needed(0, args.x);
    const int width = args.x.size();
    auto* first = reinterpret_cast<int32_t*>(args.scratch);
    int32_t* second = first + width;
    for (int x = 0; x < width; ++x) {
      first[x] = columns_.first[args.x.begin + x] - columns.begin;
      second[x] = columns_.second[args.x.begin + x] - columns.begin;
    }
    kernels::StepsBlendArgs blend;
    blend.columns = columns.size(), blend.width = width;
    blend.bottom_weight = rows_.weight[args.y], blend.top_weight = kernels::kStepTapsUnit - blend.bottom_weight;
    blend.first = first, blend.second = second, blend.second_weight = columns_.weight.data() + args.x.begin;
    blend.scratch = reinterpret_cast<uint16_t*>(second + width);
    for (int p = 0; p < input_.planes(); ++p) {
      blend.top = words(args.inputs[0], rows_.first[args.y], p, columns.begin);
      blend.bottom = words(args.inputs[0], rows_.second[args.y], p, columns.begin);
      blend.out = words(args, p);
      if (!rows_.copies || !columns_.copies) {
        kernel_.blend(blend);
        continue;
      }
      for (int x = 0; x < width; ++x) blend.out[x] = blend.top[first[x]];
    }
  }

 private:
  RowTensor input_;
  StepsResizeAxis rows_, columns_;
  const StepsRowKernel& kernel_;
};

Result<BoundRowOp> bind_channels(const BindContext& context, const format::SliceParams& params) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  if (params.axes != std::vector<int64_t>{1}) return context.unsupported("it cuts integers along other axes");
  const int64_t step = params.steps[0], last = step > 0 ? input.channels : input.channels - 1;
  const int64_t from = params.starts[0] < 0 ? params.starts[0] + input.channels : params.starts[0];
  std::vector<StepsChannels::From> channels;
  for (int c = 0; c < result.channels; ++c)
    channels.push_back({0, static_cast<int>(std::clamp<int64_t>(from, 0, last) + c * step)});
  return BoundRowOp{std::make_unique<StepsChannels>(std::move(channels)), {0}};
}

Result<BoundRowOp> bind_join(const BindContext& context) {
  if (std::get<format::ConcatParams>(context.op().params).axis != 1)
    return context.unsupported("it joins another axis than the channels");
  std::vector<StepsChannels::From> channels;
  std::vector<int> inputs;
  for (int i = 0; i < static_cast<int>(context.op().inputs.size()); ++i) {
    COCO_ASSIGN(const RowTensor input, context.row_tensor(i));
    for (int c = 0; c < input.channels; ++c) channels.push_back({i, c});
    inputs.push_back(i);
  }
  return BoundRowOp{std::make_unique<StepsChannels>(std::move(channels)), std::move(inputs)};
}

Result<BoundRowOp> bind_quant_binary(const BindContext& context) {
  COCO_ASSIGN(const RowTensor a, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor b, context.row_tensor(1));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  const auto fits = [&](const RowTensor& t) { return t.height == result.height && t.width == result.width; };
  const bool one_b = !fits(b) && b.height == 1 && b.width == 1;
  if (a.channels != result.channels || b.channels != result.channels || !fits(a) || !(fits(b) || one_b))
    return context.unsupported("it broadcasts");
  const auto& params = std::get<format::QuantBinaryParams>(context.op().params);
  return BoundRowOp{std::make_unique<StepsBinary>(params, result.planes(), one_b, context.capabilities), {0, 1}};
}

}  // namespace

std::unique_ptr<RowOp> make_steps_source(int binding, RowTensor tensor, const Capabilities& capabilities) {
  return std::make_unique<StepsSource>(binding, tensor, capabilities);
}

std::unique_ptr<RowOp> make_steps_sink(int binding, RowTensor tensor, const Capabilities& capabilities) {
  return std::make_unique<StepsSink>(binding, tensor, capabilities);
}

Result<BoundRowOp> bind_steps(const BindContext& context) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  const format::OpParams& params = context.op().params;
  if (std::holds_alternative<format::LookupParams>(params)) {
    COCO_ASSIGN(const auto table, context.constant<uint8_t>(1));
    return BoundRowOp{std::make_unique<StepsLookup>(table, input.planes(), context.capabilities), {0}};
  }
  if (std::holds_alternative<format::QuantBinaryParams>(params)) return bind_quant_binary(context);
  if (std::holds_alternative<format::ConcatParams>(params)) return bind_join(context);
  if (const auto* slice = std::get_if<format::SliceParams>(&params)) return bind_channels(context, *slice);
  if (const auto* pool = std::get_if<format::Pool2dParams>(&params); pool && pool->kind == format::PoolKind::kMax)
    return BoundRowOp{std::make_unique<StepsMaxPool>(*pool, input, context.capabilities), {0}};
  if (const auto* resize = std::get_if<format::ResizeParams>(&params)) {
    if (input.channels != result.channels) return context.unsupported("it resizes the channels");
    if (resize->mode == format::ResizeMode::kCubic) return context.unsupported("it is cubic on integers");
    return BoundRowOp{std::make_unique<StepsResize>(*resize, input, result, context.capabilities), {0}};
  }
  return context.unsupported("it has no row kernel for integers");
}

}  // namespace coco::backends
