#include "backends/cpu/row_bind.h"

#include "kernels/row/row.h"

namespace coco::backends {
namespace {

class SourceOp : public RowOp {
 public:
  SourceOp(int binding, RowTensor tensor, const Capabilities& capabilities)
      : binding_(binding), tensor_(tensor), load_(choose<kernels::LoadRowSlot>(capabilities)) {}
  Interval rows_needed(int, int) const override { return {}; }
  Interval cols_needed(int, Interval) const override { return {}; }
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    const char* row = static_cast<const char*>(binding.data) + args.y * binding.row_stride +
                      args.x.begin * static_cast<ptrdiff_t>(byte_size(binding.type));
    for (int c = 0; c < tensor_.channels; ++c)
      load_(binding.type, row + c * binding.channel_stride, args.x.size(), args.out + c * args.out_channel_stride);
  }

 private:
  int binding_;
  RowTensor tensor_;
  kernels::LoadRowFn load_;
};

class SinkOp : public PointwiseOp {
 public:
  SinkOp(int binding, RowTensor tensor, const Capabilities& capabilities)
      : binding_(binding), tensor_(tensor), store_(choose<kernels::StoreRowSlot>(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    char* row = static_cast<char*>(binding.data) + args.y * binding.row_stride +
                args.x.begin * static_cast<ptrdiff_t>(byte_size(binding.type));
    for (int c = 0; c < tensor_.channels; ++c)
      store_(binding.type, args.inputs[0].at(args.y, c, args.x.begin), args.x.size(), row + c * binding.channel_stride);
  }

 private:
  int binding_;
  RowTensor tensor_;
  kernels::StoreRowFn store_;
};

class ShuffledSinkOp : public RowOp {
 public:
  ShuffledSinkOp(int binding, const Capabilities& capabilities)
      : binding_(binding),
        store_(choose<kernels::StoreRowSlot>(capabilities)),
        shuffle_(choose<kernels::ShuffleStoreRowSlot>(capabilities)) {}
  Interval rows_needed(int input, int y) const override {
    return input == 0 ? Interval{y, y + 1} : Interval{y / 2, y / 2 + 1};
  }
  Interval cols_needed(int input, Interval x) const override {
    return input == 0 ? x : Interval{x.begin / 2, (x.end - 1) / 2 + 1};
  }
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    const auto bytes = static_cast<ptrdiff_t>(byte_size(binding.type));
    char* row = static_cast<char*>(binding.data) + args.y * binding.row_stride;
    const auto base = [&](int x) { return args.inputs[0].at(args.y, 0, x); };
    const auto plane = [&](int phase, int x) { return args.inputs[1].at(args.y / 2, args.y % 2 * 2 + phase, x / 2); };
    const auto single = [&](int x) {
      const float sum = *plane(x % 2, x) + *base(x);
      store_(binding.type, &sum, 1, row + x * bytes);
    };
    int x = args.x.begin;
    if (x % 2 != 0) single(x++);
    const int pairs = (args.x.end - x) / 2;
    if (pairs > 0) shuffle_(binding.type, plane(0, x), plane(1, x), base(x), pairs, row + x * bytes);
    x += 2 * pairs;
    if (x < args.x.end) single(x);
  }

 private:
  int binding_;
  kernels::StoreRowFn store_;
  kernels::ShuffleStoreRowFn shuffle_;
};

}  // namespace

std::unique_ptr<RowOp> make_shuffled_sink(int binding, const Capabilities& capabilities) {
  return std::make_unique<ShuffledSinkOp>(binding, capabilities);
}

std::unique_ptr<RowOp> make_source(int binding, RowTensor tensor, const Capabilities& capabilities) {
  if (tensor.type == DataType::kU8) return make_steps_source(binding, tensor, capabilities);
  return std::make_unique<SourceOp>(binding, tensor, capabilities);
}

std::unique_ptr<RowOp> make_sink(int binding, RowTensor tensor, const Capabilities& capabilities) {
  if (tensor.type == DataType::kU8) return make_steps_sink(binding, tensor, capabilities);
  return std::make_unique<SinkOp>(binding, tensor, capabilities);
}

}  // namespace coco::backends
