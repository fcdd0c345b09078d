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

}  // namespace

std::unique_ptr<RowOp> make_source(int binding, RowTensor tensor, const Capabilities& capabilities) {
  return std::make_unique<SourceOp>(binding, tensor, capabilities);
}

std::unique_ptr<RowOp> make_sink(int binding, RowTensor tensor, const Capabilities& capabilities) {
  return std::make_unique<SinkOp>(binding, tensor, capabilities);
}

}  // namespace coco::backends
