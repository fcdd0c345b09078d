#include "runtime/line_plan.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "coco/device.h"

namespace coco::runtime {

using backends::Interval;
using backends::RowTensor;

namespace {

/// Rows (or columns) an operator reads of an input, within the picture and never none.
Interval clip(Interval wanted, int size) {
  const int begin = std::clamp(wanted.begin, 0, size - 1);
  return {begin, std::clamp(wanted.end, begin + 1, size)};
}

constexpr int kFloatsPerLine = 16;
constexpr int kMinStripWidth = 64;
constexpr int kMinBand = 16;   // bands begin at multiples of it: then all need the same rows of rings
constexpr int kCellRows = 64;  // of the first sink
// Wider ones save next to nothing of the halos, and rows begin to drop out of the first-level cache.
constexpr int kMaxStripWidth = 1280;
// Narrower strips would pay more for the halos of what moves alone than they save.
constexpr int kReuseStripWidth = 320;
// A chain longer than this would overflow the stack: rows are asked for recursively.
constexpr size_t kMaxOperators = 4096;
constexpr size_t kMaxArenaFloats = (size_t{1} << 30) / sizeof(float);

void merge(Interval& hull, Interval part) {
  if (hull.begin > hull.end) {
    hull = part;
  } else {
    hull = {std::min(hull.begin, part.begin), std::max(hull.end, part.end)};
  }
}

int round_up(int64_t value, int64_t unit) { return static_cast<int>((value + unit - 1) / unit * unit); }

const RowTensor& picture_of(const LineProgram& program, const LineOp& op) {
  return program.tensors[op.output >= 0 ? op.output : op.inputs[0]];
}

class Planner {
 public:
  Planner(const LineProgram& program, const SessionOptions& options) : program_(program), options_(options) {
    plan_.producers.assign(program.tensors.size(), -1);
    for (size_t i = 0; i < program.ops.size(); ++i) {
      if (program.ops[i].output >= 0)
        plan_.producers[program.ops[i].output] = static_cast<int>(i);
      else
        plan_.sinks.push_back(static_cast<int>(i));
    }
  }

  Result<LinePlan> run() {
    if (program_.ops.size() > kMaxOperators)
      return make_error(ErrorCode::kUnsupported, "the network has more than " + std::to_string(kMaxOperators) +
                                                     " operators, too many to run row by row");
    plan_.threads = options_.threads > 0 ? options_.threads : cpu_info().allowed_threads;
    const RowTensor& master = picture_of(program_, program_.ops[plan_.sinks[0]]);
    find_lowest_rows();
    plan_bands(master);
    plan_capacities();
    plan_strips(master);
    if (plan_.arena_floats > kMaxArenaFloats)
      return make_error(ErrorCode::kResourceLimit,
                        "the rows of one strip need " + std::to_string(plan_.arena_floats * sizeof(float) >> 20) +
                            " MiB of working memory; the picture or the network is too large for this build");
    return std::move(plan_);
  }

 private:
  /// The extent of every operator when the sinks produce [begin, end) of the master's `size` rows or columns.
  Extent extents(int begin, int end, int size, bool rows) const {
    const size_t count = program_.ops.size();
    Extent extent(count);
    std::vector<Interval> wanted(program_.tensors.size(), Interval{1, 0});
    for (size_t i = count; i-- > 0;) {
      const LineOp& op = program_.ops[i];
      const RowTensor& picture = picture_of(program_, op);
      const int length = rows ? picture.height : picture.width;
      if (op.output < 0) {
        extent[i] = {static_cast<int>(int64_t(begin) * length / size), static_cast<int>(int64_t(end) * length / size)};
      } else {
        extent[i] = wanted[op.output].begin > wanted[op.output].end ? Interval{0, 0} : wanted[op.output];
      }
      if (extent[i].size() <= 0) continue;
      if (rows) extent[i] = whole_steps(op, extent[i], length);
      for (size_t k = 0; k < op.inputs.size(); ++k)
        merge(wanted[op.inputs[k]], needed(op, static_cast<int>(k), extent[i], rows));
    }
    return extent;
  }

  Interval needed(const LineOp& op, int input, Interval of, bool rows) const {
    const RowTensor& tensor = program_.tensors[op.inputs[input]];
    if (!rows) return clip(op.op->cols_needed(input, of), tensor.width);
    Interval hull{1, 0};
    for (int y = of.begin; y < of.end; y += op.op->rows_per_step()) merge(hull, step_rows(program_, op, input, y));
    return hull;
  }

  /// Rows as an operator makes them: from the start of a step to the end of one, or of the picture.
  static Interval whole_steps(const LineOp& op, Interval rows, int height) {
    const int step = op.op->rows_per_step();
    return {rows.begin / step * step, std::min(round_up(rows.end, step), height)};
  }

  /// Tiles begin where the sinks' steps do, so that no two store the same samples.
  int sink_step() const {
    int step = 1;
    for (const int sink : plan_.sinks) step = std::lcm(step, program_.ops[sink].op->rows_per_step());
    return step;
  }

  void plan_bands(const RowTensor& master) {
    const int threads = plan_.threads, share = (master.height + threads - 1) / threads;
    int unit = sink_step(), large = options_.band_height, small = options_.band_height;
    if (options_.band_height <= 0) {
      unit = std::lcm(unit, kMinBand);
      large = large_part(share, threads);
      small = share - large;
    }
    large = round_up(std::max(large, 1), unit), small = round_up(std::max(small, 1), unit);
    for (int y = 0; y < master.height;) {
      const bool first = static_cast<int>(plan_.bands.size()) < threads;
      const int end = std::min(y + (first ? large : small), master.height);
      plan_.bands.push_back(extents(y, end, master.height, true));
      y = end;
    }
    if (!options_.reuse) return;
    for (int y = 0; y < master.height; y += kCellRows)
      plan_.cells.push_back(extents(y, std::min(y + kCellRows, master.height), master.height, true));
  }

  /// lowest_[op][input][y]: the first row of the input that any result row from y on reads.
  void find_lowest_rows() {
    lowest_.resize(program_.ops.size());
    for (size_t i = 0; i < program_.ops.size(); ++i) {
      const LineOp& op = program_.ops[i];
      const int height = picture_of(program_, op).height;
      for (size_t k = 0; k < op.inputs.size(); ++k) {
        std::vector<int> lowest(height + 1, program_.tensors[op.inputs[k]].height);
        for (int y = height - 1; y >= 0; --y) {
          const Interval rows = clip(op.op->rows_needed(static_cast<int>(k), y), program_.tensors[op.inputs[k]].height);
          lowest[y] = std::min(lowest[y + 1], rows.begin);
        }
        lowest_[i].push_back(std::move(lowest));
      }
    }
  }

  /// Plays the schedule of every band and notes how many rows of each tensor are alive at once.
  void plan_capacities() {
    plan_.rings.resize(program_.tensors.size());
    readers_.resize(program_.tensors.size());
    for (size_t i = 0; i < program_.ops.size(); ++i)
      for (size_t k = 0; k < program_.ops[i].inputs.size(); ++k)
        readers_[program_.ops[i].inputs[k]].push_back({static_cast<int>(i), static_cast<int>(k)});
    for (const Extent& band : plan_.bands) play(band);
    // A run of cells needs no more than the run from its first cell to the last of all.
    Extent run(program_.ops.size());
    for (size_t first = 0; first < plan_.cells.size(); ++first) {
      join(std::span(plan_.cells).subspan(first), run);
      play(run);
    }
  }

  void play(const Extent& band) {
    next_.resize(program_.ops.size());
    for (size_t i = 0; i < next_.size(); ++i) next_[i] = band[i].begin;
    const int master = plan_.sinks[0];
    for (int y = band[master].begin; y < band[master].end; ++y)
      for (int sink : plan_.sinks) play(band, sink, sink_rows_until(band, master, sink, y));
  }

  /// Sinks advance together, in proportion to their heights.
  static int sink_rows_until(const Extent& band, int master, int sink, int y) {
    const int64_t done = y + 1 - band[master].begin;
    return band[sink].begin + static_cast<int>(done * band[sink].size() / band[master].size());
  }

  void play(const Extent& band, int index, int until) {
    const LineOp& op = program_.ops[index];
    const int step = op.op->rows_per_step();
    for (; next_[index] < until; next_[index] += step) {
      for (size_t k = 0; k < op.inputs.size(); ++k)
        play(band, plan_.producers[op.inputs[k]], step_rows(program_, op, static_cast<int>(k), next_[index]).end);
      if (op.output < 0) continue;
      int oldest = next_[index];
      for (const Reader& reader : readers_[op.output])
        if (next_[reader.op] < band[reader.op].end)
          oldest = std::min(oldest, std::max(band[index].begin, lowest_[reader.op][reader.input][next_[reader.op]]));
      RingPlan& ring = plan_.rings[op.output];
      ring.capacity = std::max(ring.capacity, round_up(next_[index] + step - oldest, step));
    }
  }

  void plan_strips(const RowTensor& master) {
    if (options_.strip_width > 0) return cut(master, options_.strip_width);
    const size_t budget = cpu_info().l2_bytes / 4 * 3 / sizeof(float);
    for (int strips = 1;; ++strips) {
      const int width = round_up((master.width + strips - 1) / strips, 2 * kFloatsPerLine);
      cut(master, width);
      if (width > kMaxStripWidth) continue;
      if (plan_.arena_floats + plan_.scratch_floats <= budget || width <= kMinStripWidth) return;
    }
  }

  /// `width`: columns a worker's rings hold.
  void cut(const RowTensor& master, int width) {
    width = round_up(width, sink_step());
    plan_.joined = options_.reuse ? std::max(1, (width + kReuseStripWidth / 2) / kReuseStripWidth) : 1;
    if (plan_.joined > 1) width = round_up((width + plan_.joined - 1) / plan_.joined, 2 * kFloatsPerLine);
    plan_.strips.clear();
    for (int x = 0; x < master.width; x += width)
      plan_.strips.push_back(extents(x, std::min(x + width, master.width), master.width, false));
    plan_.joined = std::min(plan_.joined, static_cast<int>(plan_.strips.size()));
    std::vector<Extent> runs(plan_.strips.size() - plan_.joined + 1, Extent(program_.ops.size()));
    for (size_t first = 0; first < runs.size(); ++first)
      join(std::span(plan_.strips).subspan(first, plan_.joined), runs[first]);
    lay_out(runs);
  }

  /// Margins, pitches and offsets for these strips.
  void lay_out(std::span<const Extent> strips) {
    for (RingPlan& ring : plan_.rings) ring.lead = ring.tail = 0, ring.pitch = 0;
    plan_.scratch_floats = 0;
    for (const Extent& strip : strips)
      for (size_t i = 0; i < program_.ops.size(); ++i) {
        const LineOp& op = program_.ops[i];
        if (strip[i].size() <= 0) continue;
        plan_.scratch_floats = std::max(plan_.scratch_floats, op.op->scratch_floats(strip[i].size()));
        if (op.output >= 0) {
          RingPlan& ring = plan_.rings[op.output];
          ring.pitch = std::max<ptrdiff_t>(ring.pitch, strip[i].size());
        }
        for (size_t k = 0; k < op.inputs.size(); ++k) {
          const Interval columns = op.op->cols_needed(static_cast<int>(k), strip[i]);
          RingPlan& ring = plan_.rings[op.inputs[k]];
          ring.lead = std::max(ring.lead, -columns.begin);
          ring.tail = std::max(ring.tail, columns.end - program_.tensors[op.inputs[k]].width);
        }
      }
    size_t offset = 0;
    for (size_t t = 0; t < plan_.rings.size(); ++t) {
      RingPlan& ring = plan_.rings[t];
      ring.lead = round_up(ring.lead, kFloatsPerLine);
      const int lines =
          round_up(ring.lead + ring.pitch + ring.tail + kernels::kRowSlop, kFloatsPerLine) / kFloatsPerLine;
      ring.pitch = ptrdiff_t(lines | 1) * kFloatsPerLine;
      ring.row_stride = ring.pitch * program_.tensors[t].planes();
      ring.offset = offset;
      offset += static_cast<size_t>(ring.row_stride) * ring.capacity;
    }
    plan_.arena_floats = offset;
    plan_.scratch_floats = static_cast<size_t>(round_up(static_cast<int64_t>(plan_.scratch_floats), kFloatsPerLine));
  }

  struct Reader {
    int op, input;
  };
  const LineProgram& program_;
  const SessionOptions& options_;
  LinePlan plan_;
  std::vector<std::vector<std::vector<int>>> lowest_;
  std::vector<std::vector<Reader>> readers_;
  std::vector<int> next_;
};

}  // namespace

Interval step_rows(const LineProgram& program, const LineOp& op, int input, int y) {
  const int height = program.tensors[op.inputs[input]].height;
  Interval hull{1, 0};
  for (int row = y; row < y + op.op->rows_per_step(); ++row) merge(hull, clip(op.op->rows_needed(input, row), height));
  return hull;
}

Result<LinePlan> plan_lines(const LineProgram& program, const SessionOptions& options) {
  return Planner(program, options).run();
}

void join(std::span<const Extent> parts, Extent& hull) {
  for (size_t i = 0; i < hull.size(); ++i) {
    hull[i] = parts.front()[i];
    for (const Extent& part : parts) {
      if (part[i].size() <= 0) continue;
      hull[i] = hull[i].size() <= 0
                    ? part[i]
                    : Interval{std::min(hull[i].begin, part[i].begin), std::max(hull[i].end, part[i].end)};
    }
  }
}

double recomputation(const LineProgram& program, const LinePlan& plan) {
  double computed = 0, needed = 0;
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const RowTensor& picture = picture_of(program, program.ops[i]);
    double rows = 0, columns = 0;
    for (const Extent& band : plan.bands) rows += band[i].size();
    for (const Extent& strip : plan.strips) columns += strip[i].size();
    const double cost = program.ops[i].cost * picture.channels;
    computed += rows * columns * cost;
    needed += static_cast<double>(picture.height) * picture.width * cost;
  }
  return needed > 0 ? computed / needed : 1;
}

}  // namespace coco::runtime
