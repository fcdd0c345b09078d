#include "format/program.h"

#include <cstring>
#include <limits>

#include "coco/buffer.h"

namespace coco::format {

ConstantData ConstantData::copy_of(std::span<const uint8_t> bytes) {
  Result<Buffer> buffer = Buffer::allocate(bytes.size());
  COCO_CHECK(buffer.ok(), "out of memory for a constant");
  if (!bytes.empty()) std::memcpy(buffer->data(), bytes.data(), bytes.size());
  ConstantData data;
  data.bytes = {static_cast<const uint8_t*>(buffer->data()), bytes.size()};
  data.keep_alive = std::make_shared<Buffer>(std::move(*buffer));
  return data;
}

void complete_inputs(Program& program) {
  for (Operator& op : program.operators) {
    if (op.params.index() == 0) continue;
    const OpArity arity = op_arity(op.kind());
    if (!arity.variadic() && op.inputs.size() < arity.total) op.inputs.resize(arity.total, kNoValue);
  }
}

namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

int64_t times(int64_t a, int64_t b) {
  if (a <= 0 || b <= 0) return 0;
  return a > kMost / b ? kMost : a * b;
}

int64_t plus(int64_t a, int64_t b) { return a > kMost - b ? kMost : a + b; }

}  // namespace

// Conv2d: each result sample sums C/group * kh * kw products. ConvTranspose2d: each input sample makes M/group * kh *
// kw.
int64_t count_macs(const Operator& op, std::span<const Shape> shapes) {
  const bool conv = op.kind() == OpKind::kConv2d || op.kind() == OpKind::kQuantConv2d;
  if (!conv && op.kind() != OpKind::kConvTranspose2d) return 0;
  const Shape& weight = shapes[static_cast<size_t>(op.inputs[1])];
  const Shape& sampled = shapes[static_cast<size_t>(conv ? op.outputs[0] : op.inputs[0])];
  if (weight.rank() != 4) return 0;
  const int64_t per_sample = times(weight[1], times(weight[2], weight[3]));
  return times(per_sample, sampled.element_count().value_or(0));
}

int64_t count_macs(const Program& program, std::span<const Shape> shapes) {
  if (shapes.size() != program.values.size()) return 0;
  int64_t macs = 0;
  for (const Operator& op : program.operators) macs = plus(macs, count_macs(op, shapes));
  return macs;
}

}  // namespace coco::format
