#include "runtime/line_executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/thread_pool.h"
#include "coco/buffer.h"

namespace coco::runtime {

using backends::Binding;
using backends::Interval;
using backends::RowArgs;
using backends::RowInput;

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

/// What one worker holds. Only the worker that owns the number touches it during a run.
struct Worker {
  Buffer memory;
  float* arena = nullptr;
  float* scratch = nullptr;
  std::vector<int> next;                      ///< per operator: its next row
  Extent rows, columns;                       ///< of the run of cells and strips being computed
  std::vector<std::vector<RowInput>> inputs;  ///< per operator
  std::vector<Nanoseconds> spent;             ///< per operator, of the run at hand; empty without a profile
  Clock::time_point lap;                      ///< when the operator before was done

  void stop_clock(int index) {
    if (spent.empty()) return;
    const Clock::time_point now = Clock::now();
    spent[static_cast<size_t>(index)] += now - lap;
    lap = now;
  }
};

}  // namespace

namespace {

void fill_words(float* to, int count, uint32_t word) {
  auto* bytes = reinterpret_cast<unsigned char*>(to);
  for (int i = 0; i < count; ++i) std::memcpy(bytes + i * sizeof word, &word, sizeof word);
}

}  // namespace

struct LineExecutor::State {
  LineProgram program;
  LinePlan plan;
  SessionStats stats;
  std::vector<Worker> workers;
  /// [operator][input][row of its result]: one past the last row of the input that the step at that row reads.
  std::vector<std::vector<std::vector<int>>> row_ends;
  std::vector<backends::RingSlots> slots;  ///< per tensor
  std::span<const Binding> bindings;
  const std::function<void(int)>* extra = nullptr;
  std::function<void(int, int)> task;  ///< made once, so that a run allocates nothing
  std::vector<double> profile;         ///< per operator: milliseconds of all runs; empty without a profile
  double waited = 0;                   ///< the same, of workers for each other

  Status make_workers();
  void tabulate_rows();
  void fill_left_margins(float* arena) const;
  void run_tile(Worker& worker, const Extent& band, const Extent& strip);
  void produce(Worker& worker, const Extent& band, const Extent& strip, int index, int until);
  void prepare_inputs(Worker& worker, const Extent& strip);
  void share_out(Nanoseconds run);
};

Status LineExecutor::State::make_workers() {
  const size_t bytes = (plan.arena_floats + plan.scratch_floats) * sizeof(float);
  const size_t tiles = plan.bands.size() * plan.strips.size();
  plan.threads = std::max(1, std::min<int>(plan.threads, ThreadPool::process().threads()));
  stats.threads = plan.threads;
  stats.bands = static_cast<int>(plan.bands.size());
  stats.strips = static_cast<int>(plan.strips.size());
  workers.resize(std::min<size_t>(plan.threads, std::max<size_t>(tiles, 1)));
  if (workers.size() < static_cast<size_t>(plan.threads)) workers.resize(plan.threads);
  for (Worker& worker : workers) {
    COCO_ASSIGN(worker.memory, Buffer::allocate(bytes));
    worker.arena = static_cast<float*>(worker.memory.data());
    worker.scratch = worker.arena + plan.arena_floats;
    fill_left_margins(worker.arena);
    worker.next.resize(program.ops.size());
    worker.rows.resize(program.ops.size());
    worker.columns.resize(program.ops.size());
    for (const LineOp& op : program.ops) worker.inputs.emplace_back(op.inputs.size());
    worker.spent.resize(profile.size());
    stats.arena_bytes += bytes;
  }
  return {};
}

void LineExecutor::State::tabulate_rows() {
  for (const RingPlan& ring : plan.rings) slots.emplace_back(ring.capacity);
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const LineOp& op = program.ops[i];
    int height = 0;
    for (const std::vector<Extent>* parts : {&plan.bands, &plan.cells})
      for (const Extent& part : *parts) height = std::max(height, part[i].end);
    row_ends.emplace_back(op.inputs.size());
    for (size_t k = 0; k < op.inputs.size(); ++k)
      for (int y = 0; y < height; ++y) row_ends[i][k].push_back(step_rows(program, op, static_cast<int>(k), y).end);
  }
}

/// Nothing writes there afterwards. The memory comes zeroed.
void LineExecutor::State::fill_left_margins(float* arena) const {
  for (size_t t = 0; t < plan.rings.size(); ++t) {
    const RingPlan& ring = plan.rings[t];
    const uint32_t margin = program.tensors[t].margin();
    if (margin == 0) continue;
    for (int plane = 0; plane < ring.capacity * program.tensors[t].planes(); ++plane)
      fill_words(arena + ring.offset + plane * ring.pitch, ring.lead, margin);
  }
}

void LineExecutor::State::prepare_inputs(Worker& worker, const Extent& strip) {
  for (size_t i = 0; i < program.ops.size(); ++i)
    for (size_t k = 0; k < program.ops[i].inputs.size(); ++k) {
      const int tensor = program.ops[i].inputs[k];
      const RingPlan& ring = plan.rings[tensor];
      worker.inputs[i][k] = {worker.arena + ring.offset + ring.lead, ring.row_stride, ring.pitch, slots[tensor],
                             strip[plan.producers[tensor]]};
    }
}

/// Computes rows of an operator up to `until`, or some more where it makes several at a time; its inputs' rows first.
void LineExecutor::State::produce(Worker& worker, const Extent& band, const Extent& strip, int index, int until) {
  const LineOp& op = program.ops[index];
  const int step = op.op->rows_per_step();
  for (int& y = worker.next[index]; y < until; y += step) {
    for (size_t k = 0; k < op.inputs.size(); ++k)
      produce(worker, band, strip, plan.producers[op.inputs[k]], row_ends[index][k][y]);
    RowArgs args;
    args.y = y;
    args.x = strip[index];
    args.inputs = worker.inputs[index].data();
    args.bindings = bindings.data();
    args.scratch = worker.scratch;
    if (op.output < 0) {
      op.op->run(args);
      worker.stop_clock(index);
      continue;
    }
    const RingPlan& ring = plan.rings[op.output];
    args.out = worker.arena + ring.offset + slots[op.output](y) * ring.row_stride + ring.lead;
    args.out_row_stride = ring.row_stride;
    args.out_channel_stride = ring.pitch;
    op.op->run(args);
    // Kernels write whole vectors: what stands right of the picture becomes its margin again.
    if (ring.tail > 0 && args.x.end == program.tensors[op.output].width)
      for (int plane = 0; plane < step * program.tensors[op.output].planes(); ++plane)
        fill_words(args.out + plane * ring.pitch + args.x.size(), ring.tail, program.tensors[op.output].margin());
    worker.stop_clock(index);
  }
}

void LineExecutor::State::run_tile(Worker& worker, const Extent& band, const Extent& strip) {
  prepare_inputs(worker, strip);
  if (!profile.empty()) worker.lap = Clock::now();
  for (size_t i = 0; i < program.ops.size(); ++i) worker.next[i] = band[i].begin;
  const int master = plan.sinks[0];
  for (int y = band[master].begin; y < band[master].end; ++y)
    for (int sink : plan.sinks) {
      const int64_t done = y + 1 - band[master].begin;
      produce(worker, band, strip, sink,
              band[sink].begin + static_cast<int>(done * band[sink].size() / band[master].size()));
    }
}

/// What all workers spent in an operator, divided by how many there were work for; the rest of the run they waited.
void LineExecutor::State::share_out(Nanoseconds run) {
  const size_t tiles = plan.bands.size() * plan.strips.size();
  const auto busy = static_cast<double>(std::clamp<size_t>(tiles, 1, workers.size()));
  double rest = std::chrono::duration<double, std::milli>(run).count();
  for (Worker& worker : workers)
    for (size_t i = 0; i < worker.spent.size(); ++i) {
      const double ms = std::chrono::duration<double, std::milli>(worker.spent[i]).count() / busy;
      profile[i] += ms;
      rest -= ms;
      worker.spent[i] = {};
    }
  waited += std::max(rest, 0.0);
}

LineExecutor::LineExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineExecutor::~LineExecutor() = default;
const SessionStats& LineExecutor::stats() const { return state_->stats; }

Result<std::unique_ptr<LineExecutor>> LineExecutor::create(LineProgram program, const SessionOptions& options) {
  auto state = std::make_unique<State>();
  COCO_ASSIGN(state->plan, plan_lines(program, options));
  state->program = std::move(program);
  state->stats.executor = "line";
  state->stats.macs = state->program.macs;
  state->tabulate_rows();
  if (options.profile) state->profile.resize(state->program.ops.size());
  COCO_TRY(state->make_workers());
  State* s = state.get();
  s->task = [s](int task, int worker) {
    const int strips = static_cast<int>(s->plan.strips.size());
    const int tiles = strips * static_cast<int>(s->plan.bands.size());
    if (task < tiles)
      s->run_tile(s->workers[worker], s->plan.bands[task / strips], s->plan.strips[task % strips]);
    else
      (*s->extra)(task - tiles);
  };
  return std::unique_ptr<LineExecutor>(new LineExecutor(std::move(state)));
}

void LineExecutor::run(std::span<const Binding> bindings, int extra_tasks, const std::function<void(int)>* extra) {
  state_->bindings = bindings;
  state_->extra = extra;
  const int tiles = static_cast<int>(state_->plan.strips.size() * state_->plan.bands.size());
  const bool timed = !state_->profile.empty();
  const Clock::time_point start = timed ? Clock::now() : Clock::time_point{};
  ThreadPool::process().parallel_for(tiles + (extra != nullptr ? extra_tasks : 0), state_->plan.threads, state_->task);
  if (timed) state_->share_out(Clock::now() - start);
}

void LineExecutor::add_profile(std::vector<OperatorProfile>& rows) const {
  for (size_t i = 0; i < state_->profile.size(); ++i) {
    const LineOp& op = state_->program.ops[i];
    OperatorProfile& row = rows.emplace_back();
    row.index = op.number;
    if (op.binding >= 0) row.op = op.output < 0 ? "store" : "load";
    row.kernel = op.kernel;
    row.row_by_row = true;
    row.ms = state_->profile[i];
  }
  if (state_->profile.empty()) return;
  OperatorProfile& wait = rows.emplace_back();
  wait.op = "wait";
  wait.row_by_row = true;
  wait.ms = state_->waited;
}

const LinePlan& LineExecutor::plan() const { return state_->plan; }
void LineExecutor::bind(std::span<const Binding> bindings) { state_->bindings = bindings; }

void LineExecutor::run_cells(int worker, Interval cells, Interval strips) {
  Worker& own = state_->workers[worker];
  join(std::span(state_->plan.cells).subspan(cells.begin, cells.size()), own.rows);
  join(std::span(state_->plan.strips).subspan(strips.begin, strips.size()), own.columns);
  state_->run_tile(own, own.rows, own.columns);
}

Result<LineProgram> make_line_program(const format::Program& program, std::span<const Shape> shapes,
                                      const SessionOptions& options) {
  const kernels::Capabilities capabilities = capabilities_for(options);
  LineProgram line;
  std::vector<int> inputs;
  for (int32_t value : program.inputs) {
    const Shape& shape = shapes[value];
    if (shape.rank() != 4 || shape[0] != 1 || program.values[value].type != DataType::kF32)
      return make_error(ErrorCode::kUnsupported, "input '" + program.values[value].name + "' is " + shape.to_string() +
                                                     ", not one f32 picture [1, C, H, W]");
    inputs.push_back(line.add_source(
        {static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3])}, capabilities));
  }
  COCO_ASSIGN(const auto outputs, line.append(program, shapes, inputs, capabilities));
  for (int output : outputs) line.add_sink(output, capabilities);
  return line;
}

Binding bind_tensor(const void* data, const Shape& shape, SampleType type) {
  const auto row = static_cast<ptrdiff_t>(static_cast<size_t>(shape[3]) * byte_size(type));
  return {type, const_cast<void*>(data), row, row * static_cast<ptrdiff_t>(shape[2])};
}

}  // namespace coco::runtime
