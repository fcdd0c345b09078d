// Purpose: exact temporal reuse. The input of a frame is compared with the one before; an output tile all of whose
// input (halo included) is unchanged keeps its samples. The same input gives the same output, so nothing is lost.
// The first time a tile stands still it is computed and saved, from then on it is copied: moving pictures pay for the
// comparison alone. The history is a copy of the input plane and of the saved tiles, so that it does not matter which
// buffers the caller hands in, or what was done to them since.
// Threads: compare() and finish_*() of different tasks or tiles at once; begin() and decide() between the passes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backends/cpu/row_op.h"
#include "coco/buffer.h"

namespace coco::runtime {

/// Samples [x.begin, x.end) of rows [y.begin, y.end).
struct Area {
  backends::Interval x, y;
};

/// One tile: what it reads of the input plane, what it makes of the output plane.
struct TileArea {
  Area in, out;
};

/// The tiles of these cells and these strips, computed in one go.
struct TileRun {
  backends::Interval cells, strips;
};

class TileReuse {
 public:
  /// `tiles` stand strip by strip, from top to bottom in each: tile (row, strip) is number strip * rows + row.
  /// A run spans at most `joined` strips, and no more than a thread's share of the work.
  static Result<TileReuse> create(std::vector<TileArea> tiles, int strips, const PlaneView& in, const PlaneView& out,
                                  int joined, int threads);

  int compare_tasks() const { return (in_height_ + kCellRows - 1) / kCellRows; }
  /// Compares and takes over rows of the new input.
  void compare(int task, const PlaneView& in);
  /// After all comparisons: what is to be computed, what to be kept.
  void decide();
  std::span<const TileRun> runs() const { return runs_; }
  std::span<const int> kept() const { return kept_; }
  /// After a run has been computed into `out`: saves the tiles that stood still.
  void finish_run(const TileRun& run, const PlaneView& out);
  /// Copies a kept tile into `out`.
  void finish_kept(int tile, const MutablePlaneView& out) const;

  int tiles() const { return static_cast<int>(tiles_.size()); }

 private:
  static constexpr int kCellRows = 16, kCellBytes = 64;
  bool unchanged(const Area& area) const;
  bool is_kept(int row, int strip) const;

  std::vector<TileArea> tiles_;
  int strips_ = 0, rows_ = 0, joined_ = 1, threads_ = 1;
  int in_height_ = 0;
  size_t in_row_ = 0, out_row_ = 0;  ///< bytes
  size_t in_sample_ = 1, out_sample_ = 1;
  int cells_across_ = 0;
  bool filled_ = false;  ///< the input history holds a frame
  Buffer in_history_, out_history_;
  std::vector<uint8_t> changed_;  ///< per cell of kCellRows x kCellBytes of the input
  std::vector<uint8_t> still_;    ///< per tile: its input is that of the frame before
  std::vector<uint8_t> saved_;    ///< per tile: the output history holds it
  std::vector<TileRun> runs_;
  std::vector<int> open_;  ///< of decide(): per strip the newest run that begins there
  std::vector<int> kept_;
};

}  // namespace coco::runtime
