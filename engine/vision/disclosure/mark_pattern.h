// Purpose: the invisible mark's geometry: a tile of chips, which of them say where the tile lies and which carry bits.
//
// A spread-spectrum mark (Cox et al. 1997) in the luma's middle frequencies. Lengths are in units of a 360th of the
// picture's short side, so that scaling a picture changes nothing; a tile of 32 x 32 chips of 4 units repeats over it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace coco::vision {

inline constexpr int kMarkShortSide = 360, kChip = 4, kTileChips = 32, kTile = kChip * kTileChips;
inline constexpr int kMarkBits = 64;

struct MarkPattern {
  /// By chip, row by row: -1 or 1, and which bit it carries, -1: none, it says where the tile lies.
  std::array<int8_t, kTileChips * kTileChips> sign{};
  std::array<int8_t, kTileChips * kTileChips> bit{};
};
const MarkPattern& mark_pattern();

/// The chips' values for these bits: -1 or 1.
std::array<int8_t, kTileChips * kTileChips> mark_chips(uint64_t bits);

/// The tile at `x`, `y` units, chips running smoothly into each other: -1..1.
class MarkSurface {
 public:
  explicit MarkSurface(const std::array<int8_t, kTileChips * kTileChips>& chips) : chips_(chips) {}
  /// Two chips and the share of the second at a place of an axis.
  struct Place {
    int first, second;
    float share;
  };
  static Place place(float units);
  float at(const Place& x, const Place& y) const;

 private:
  std::array<int8_t, kTileChips * kTileChips> chips_;
};

}  // namespace coco::vision
