#include "runtime/line_segment.h"

#include <algorithm>

#include "backends/cpu/row_op.h"
#include "runtime/line_executor.h"
#include "runtime/segment_cut.h"

namespace coco::runtime {
namespace {

// A longer chain would make the executor's recursion deep and its halos wide.
constexpr size_t kMostOperators = 64;
// Above this the segment is cut in two: computing twice costs more than a trip to memory.
constexpr double kMostRecomputation = 1.5;

class LineSegment : public LayerStep {
 public:
  struct Picture {
    Shape shape;
    DataType type;  // f32 or u8
  };
  LineSegment(std::unique_ptr<LineExecutor> executor, std::vector<Picture> pictures, int64_t batch)
      : executor_(std::move(executor)), pictures_(std::move(pictures)), batch_(batch), bindings_(pictures_.size()) {}

  void run(std::span<const TensorView> in, std::span<const MutableTensorView> out) override {
    for (int64_t n = 0; n < batch_; ++n) {
      for (size_t i = 0; i < pictures_.size(); ++i) {
        const void* data = i < in.size() ? in[i].data : out[i - in.size()].data;
        const auto& [shape, type] = pictures_[i];
        const int64_t bytes = shape[1] * shape[2] * shape[3] * static_cast<int64_t>(byte_size(type));
        bindings_[i] = bind_tensor(static_cast<const char*>(data) + n * bytes, shape,
                                   type == DataType::kU8 ? SampleType::kU8 : SampleType::kF32);
      }
      executor_->run(bindings_);
    }
  }
  size_t memory_bytes() const override { return executor_->stats().arena_bytes; }
  void add_profile(double, std::vector<OperatorProfile>& rows) const override { executor_->add_profile(rows); }

 private:
  std::unique_ptr<LineExecutor> executor_;
  std::vector<Picture> pictures_;  // of the inputs, then of the outputs
  int64_t batch_;
  std::vector<backends::Binding> bindings_;
};

// Each picture of the batch is computed from the same picture of the inputs alone.
struct KeepsPicturesApart {
  size_t rank = 4;
  bool operator()(const format::SliceParams& p) const {
    return std::find(p.axes.begin(), p.axes.end(), 0) == p.axes.end();
  }
  bool operator()(const format::PadParams& p) const { return p.pads[0] == 0 && p.pads[rank] == 0; }
  bool operator()(const format::ResizeParams& p) const { return p.scales.empty() || p.scales[0] == 1.0f; }
  bool operator()(const format::ConcatParams& p) const { return p.axis != 0; }
  bool operator()(const format::TransposeParams&) const { return false; }
  bool operator()(const format::ReshapeParams&) const { return false; }
  template <typename Params>
  bool operator()(const Params&) const {
    return true;
  }
};

}  // namespace

LineSegmenter::LineSegmenter(const format::Program& program, std::span<const Shape> shapes,
                             const SessionOptions& options)
    : program_(program),
      shapes_(shapes),
      options_(options),
      capabilities_(capabilities_for(options)),
      picture_shapes_(picture_shapes(program, shapes)),
      last_use_(last_uses(program)) {
  part_.values = program.values;
}

bool LineSegmenter::works_by_row(size_t index, int64_t batch) const {
  const format::Operator& op = program_.operators[index];
  if (!std::visit(KeepsPicturesApart{}, op.params)) return false;
  const auto bound = backends::make_row_op(program_, index, picture_shapes_, capabilities_);
  if (!bound.ok()) return false;
  const auto in_batch = [&](int32_t v) { return shapes_[v].rank() == 4 && shapes_[v][0] == batch; };
  // A constant operand with a batch of its own differs from picture to picture; weights and slopes do not.
  const bool arithmetic = op.kind() == format::OpKind::kBinary || op.kind() == format::OpKind::kPrelu;
  for (const int32_t v : op.inputs) {
    if (v == format::kNoValue) continue;
    const bool constant = program_.values[v].is_constant();
    if (!constant && !in_batch(v)) return false;
    if (constant && arithmetic && shapes_[v].rank() == 4 && shapes_[v][0] != 1) return false;
  }
  return in_batch(op.outputs[0]);
}

bool LineSegmenter::make_step(LayerStepSpec& spec, int64_t batch) {
  if (spec.outputs.empty()) return false;
  const auto is_picture = [&](int32_t v) {
    return program_.values[v].type == DataType::kF32 || program_.values[v].type == DataType::kU8;
  };
  if (!std::all_of(spec.inputs.begin(), spec.inputs.end(), is_picture) ||
      !std::all_of(spec.outputs.begin(), spec.outputs.end(), is_picture))
    return false;
  LineProgram line;
  std::vector<int> sources;
  std::vector<LineSegment::Picture> pictures;
  for (const int32_t v : spec.inputs) {
    const Shape& s = picture_shapes_[v];
    pictures.push_back({s, program_.values[v].type});
    backends::RowTensor tensor{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3])};
    tensor.type = program_.values[v].type;
    if (tensor.type == DataType::kU8) tensor.zero_point = backends::zero_point_of(program_, v);
    sources.push_back(line.add_source(tensor, capabilities_));
  }
  part_.operators.assign(program_.operators.begin() + static_cast<ptrdiff_t>(spec.begin),
                         program_.operators.begin() + static_cast<ptrdiff_t>(spec.end));
  part_.inputs = spec.inputs;
  part_.outputs = spec.outputs;
  const auto results = line.append(part_, picture_shapes_, sources, capabilities_, Ends::kF32OrU8);
  if (!results.ok()) return false;
  for (const int tensor : *results) line.add_sink(tensor, capabilities_);
  for (const int32_t v : spec.outputs) pictures.push_back({picture_shapes_[v], program_.values[v].type});
  const auto plan = plan_lines(line, options_);
  if (!plan.ok() || (spec.end - spec.begin > 1 && recomputation(line, *plan) > kMostRecomputation)) return false;
  auto executor = LineExecutor::create(std::move(line), options_);
  if (!executor.ok()) return false;
  spec.step = std::make_unique<LineSegment>(std::move(*executor), std::move(pictures), batch);
  return true;
}

LayerStepSpec LineSegmenter::cut(size_t begin) {
  const Shape& result = shapes_[program_.operators[begin].outputs[0]];
  const int64_t batch = result.rank() == 4 ? result[0] : 0;
  size_t end = begin;
  const size_t most = options_.techniques.depth_first ? kMostOperators : 1;
  while (batch > 0 && end < std::min(program_.operators.size(), begin + most) && works_by_row(end, batch)) {
    ++end;
  }
  for (size_t length = end - begin; length > 0; length /= 2) {
    LayerStepSpec spec = make_segment_spec(program_, begin, begin + length, last_use_);
    if (make_step(spec, batch)) return spec;
  }
  return {};
}

}  // namespace coco::runtime
