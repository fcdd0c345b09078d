// Purpose: the geometry of a line execution: strips and bands with their halos, ring sizes and arena layout.
// Depth-first execution as in "fused-layer" accelerators (Alwani et al., 2016): rows are computed just before they are
// read, only the rows still to be read are kept.
#pragma once

#include <span>
#include <vector>

#include "runtime/line_program.h"

namespace coco::runtime {

/// Where one tensor lives in a worker's arena. Row r of channel c starts at
/// offset + (r % capacity) * row_stride + c * pitch + lead floats.
struct RingPlan {
  int capacity = 1;          ///< slots: a multiple of the producer's rows per step
  ptrdiff_t pitch = 0;       ///< floats between channels: an odd number of cache lines, so that rows do not collide
  ptrdiff_t row_stride = 0;  ///< floats between slots
  size_t offset = 0;         ///< floats
  int lead = 0;              ///< zeros left of the first column
  int tail = 0;              ///< zeros right of the last column of the picture
};

/// Per operator the rows (of a band) or columns (of a strip) of its result it computes; for a sink those it stores.
using Extent = std::vector<backends::Interval>;

/// Of `rows` those computed in large parts, one for each thread; the rest in small ones, which whoever was held up
/// leaves to the others.
constexpr int large_part(int rows, int threads) { return threads > 1 ? rows * 3 / 4 : rows; }

struct LinePlan {
  std::vector<RingPlan> rings;  ///< per tensor
  std::vector<Extent> bands, strips;
  /// SessionOptions::reuse: bands of a few rows. Any run of them, and up to `joined` neighbouring strips, can be
  /// computed in one go.
  std::vector<Extent> cells;
  int joined = 1;
  std::vector<int> producers;  ///< per tensor: its operator
  std::vector<int> sinks;      ///< operators
  size_t arena_floats = 0;     ///< per worker
  size_t scratch_floats = 0;   ///< per worker, behind the arena
  int threads = 1;
};

/// Plans a program. Strips (with reuse: `joined` of them) are as wide as `options` say or the rings of one worker fit
/// the machine's second-level cache; there is a band per thread. kResourceLimit when one worker's rings alone would
/// exceed 1 GiB, kUnsupported beyond 4096 operators.
Result<LinePlan> plan_lines(const LineProgram& program, const SessionOptions& options);

/// Operations the plan does over those the tensors need: 1 when no tile repeats another's work.
double recomputation(const LineProgram& program, const LinePlan& plan);

/// The extent of neighbouring cells, or strips, computed in one go, into `hull`.
void join(std::span<const Extent> parts, Extent& hull);

/// Rows of input `input` that the step of an operator at row y of its result reads: within the picture, never none.
backends::Interval step_rows(const LineProgram& program, const LineOp& op, int input, int y);

}  // namespace coco::runtime
