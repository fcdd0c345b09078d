#include "runtime/tile_reuse.h"

#include <algorithm>
#include <cstring>

#include "runtime/line_plan.h"

namespace coco::runtime {

Result<TileReuse> TileReuse::create(std::vector<TileArea> tiles, int strips, const PlaneView& in, const PlaneView& out,
                                    int joined, int threads) {
  TileReuse reuse;
  reuse.strips_ = strips, reuse.rows_ = static_cast<int>(tiles.size()) / strips;
  reuse.joined_ = joined, reuse.threads_ = threads;
  reuse.in_height_ = in.height;
  reuse.in_sample_ = byte_size(in.type), reuse.out_sample_ = byte_size(out.type);
  reuse.in_row_ = static_cast<size_t>(in.width) * reuse.in_sample_;
  reuse.out_row_ = static_cast<size_t>(out.width) * reuse.out_sample_;
  reuse.cells_across_ = static_cast<int>((reuse.in_row_ + kCellBytes - 1) / kCellBytes);
  COCO_ASSIGN(reuse.in_history_, Buffer::allocate(reuse.in_row_ * static_cast<size_t>(in.height)));
  COCO_ASSIGN(reuse.out_history_, Buffer::allocate(reuse.out_row_ * static_cast<size_t>(out.height)));
  reuse.changed_.resize(static_cast<size_t>(reuse.cells_across_) * static_cast<size_t>(reuse.compare_tasks()));
  reuse.still_.resize(tiles.size());
  reuse.saved_.resize(tiles.size());
  reuse.open_.resize(static_cast<size_t>(strips));
  reuse.runs_.reserve(tiles.size());
  reuse.kept_.reserve(tiles.size());
  reuse.tiles_ = std::move(tiles);
  return reuse;
}

void TileReuse::compare(int task, const PlaneView& in) {
  uint8_t* changed = changed_.data() + static_cast<size_t>(task) * static_cast<size_t>(cells_across_);
  std::memset(changed, filled_ ? 0 : 1, static_cast<size_t>(cells_across_));
  for (int y = task * kCellRows; y < std::min((task + 1) * kCellRows, in_height_); ++y) {
    const auto* row = static_cast<const uint8_t*>(in.data) + y * in.stride;
    auto* history = static_cast<uint8_t*>(in_history_.data()) + static_cast<size_t>(y) * in_row_;
    if (filled_ && std::memcmp(row, history, in_row_) == 0) continue;
    for (int cell = 0; cell < cells_across_; ++cell) {
      const size_t from = static_cast<size_t>(cell) * kCellBytes, count = std::min<size_t>(kCellBytes, in_row_ - from);
      if (filled_ && std::memcmp(row + from, history + from, count) == 0) continue;
      changed[cell] = 1;
      std::memcpy(history + from, row + from, count);
    }
  }
}

bool TileReuse::unchanged(const Area& area) const {
  const auto first = static_cast<int>(static_cast<size_t>(area.x.begin) * in_sample_ / kCellBytes);
  const auto last = static_cast<int>((static_cast<size_t>(area.x.end) * in_sample_ + kCellBytes - 1) / kCellBytes);
  for (int row = area.y.begin / kCellRows; row * kCellRows < area.y.end; ++row) {
    const auto begin = changed_.begin() + static_cast<ptrdiff_t>(row) * cells_across_;
    if (std::find(begin + first, begin + last, uint8_t{1}) != begin + last) return false;
  }
  return true;
}

bool TileReuse::is_kept(int row, int strip) const {
  const int tile = strip * rows_ + row;
  return still_[tile] != 0 && saved_[tile] != 0;
}

void TileReuse::decide() {
  runs_.clear();
  kept_.clear();
  for (int tile = 0; tile < tiles(); ++tile) {
    still_[tile] = unchanged(tiles_[tile].in) ? 1 : 0;
    if (still_[tile] != 0 && saved_[tile] != 0)
      kept_.push_back(tile);
    else
      saved_[tile] = 0;
  }
  // Rectangles: neighbours in a row, then equal stretches of neighbouring rows, long ones first and short ones last, as
  // the plan's bands are.
  const int large_rows = large_part(rows_, threads_);
  const int share = (tiles() - static_cast<int>(kept_.size()) + threads_ - 1) / threads_;
  const int large = large_part(share, threads_), small = share - large;
  std::fill(open_.begin(), open_.end(), -1);
  for (int row = 0; row < rows_; ++row)
    for (int strip = 0, end = 0; strip < strips_; strip = end) {
      end = strip + 1;
      if (is_kept(row, strip)) continue;
      while (end < strips_ && end - strip < joined_ && !is_kept(row, end)) ++end;
      const int part = row < large_rows ? large : small;
      const int longest = std::clamp((part + (end - strip) / 2) / (end - strip), 1, (rows_ + threads_ - 1) / threads_);
      TileRun* above = open_[strip] < 0 ? nullptr : &runs_[open_[strip]];
      if (above != nullptr && above->cells.end == row && above->strips.end == end && above->cells.size() < longest &&
          row != large_rows) {
        ++above->cells.end;
        continue;
      }
      open_[strip] = static_cast<int>(runs_.size());
      runs_.push_back({{row, row + 1}, {strip, end}});
    }
  filled_ = true;
}

void TileReuse::finish_run(const TileRun& run, const PlaneView& out) {
  for (int strip = run.strips.begin; strip < run.strips.end; ++strip)
    for (int tile = strip * rows_ + run.cells.begin; tile < strip * rows_ + run.cells.end; ++tile) {
      if (still_[tile] == 0) continue;
      const Area& area = tiles_[tile].out;
      const size_t from = static_cast<size_t>(area.x.begin) * out_sample_;
      const size_t count = static_cast<size_t>(area.x.size()) * out_sample_;
      for (int y = area.y.begin; y < area.y.end; ++y)
        std::memcpy(static_cast<uint8_t*>(out_history_.data()) + static_cast<size_t>(y) * out_row_ + from,
                    static_cast<const uint8_t*>(out.data) + y * out.stride + from, count);
      saved_[tile] = 1;
    }
}

void TileReuse::finish_kept(int tile, const MutablePlaneView& out) const {
  const Area& area = tiles_[tile].out;
  const size_t from = static_cast<size_t>(area.x.begin) * out_sample_;
  const size_t count = static_cast<size_t>(area.x.size()) * out_sample_;
  for (int y = area.y.begin; y < area.y.end; ++y)
    std::memcpy(static_cast<uint8_t*>(out.data) + y * out.stride + from,
                static_cast<const uint8_t*>(out_history_.data()) + static_cast<size_t>(y) * out_row_ + from, count);
}

}  // namespace coco::runtime
