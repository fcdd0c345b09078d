#include "vision/disclosure/mark_pattern.h"

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "coco/disclosure.h"

namespace coco::vision {
namespace {

constexpr int kChips = kTileChips * kTileChips;
constexpr int kChipsPerBit = 12;
static_assert(kChips == kMarkBits * kChipsPerBit + 256);

/// CRC-16/CCITT-FALSE over 48 bits, the highest byte first.
uint16_t check_of(uint64_t payload) {
  uint16_t crc = 0xFFFF;
  for (int byte = 5; byte >= 0; --byte) {
    crc = static_cast<uint16_t>(crc ^ static_cast<uint16_t>((payload >> (8 * byte) & 0xFF) << 8));
    for (int i = 0; i < 8; ++i) {
      crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc;
}

}  // namespace

uint64_t mark_bits(const MarkPayload& payload) {
  const uint64_t all = static_cast<uint64_t>(payload.vendor) << 40 | (payload.session & 0xFFFFFFFFFFu);
  return all << 16 | check_of(all);
}

const MarkPattern& mark_pattern() {
  static const MarkPattern pattern = [] {
    MarkPattern p;
    Random random(0x436F636F4D61726Bu);
    std::array<int, kChips> order{};
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size() - 1; i > 0; --i)
      std::swap(order[i], order[random.below(static_cast<uint32_t>(i + 1))]);
    for (size_t i = 0; i < order.size(); ++i) {
      const auto chip = static_cast<size_t>(order[i]);
      p.sign[chip] = random.below(2) == 0 ? -1 : 1;
      p.bit[chip] = i < kMarkBits * kChipsPerBit ? static_cast<int8_t>(i % kMarkBits) : int8_t{-1};
    }
    return p;
  }();
  return pattern;
}

std::array<int8_t, kTileChips * kTileChips> mark_chips(uint64_t bits) {
  const MarkPattern& p = mark_pattern();
  std::array<int8_t, kChips> chips{};
  for (size_t i = 0; i < chips.size(); ++i) {
    const bool set = p.bit[i] < 0 || (bits >> p.bit[i] & 1) != 0;
    chips[i] = static_cast<int8_t>(set ? p.sign[i] : -p.sign[i]);
  }
  return chips;
}

MarkSurface::Place MarkSurface::place(float units) {
  const float chip = units / kChip - 0.5f, whole = std::floor(chip);
  const float t = chip - whole;
  const int first = static_cast<int>(whole) & (kTileChips - 1);
  return {first, (first + 1) & (kTileChips - 1), t * t * (3 - 2 * t)};
}

float MarkSurface::at(const Place& x, const Place& y) const {
  const auto chip = [this](int row, int column) {
    return static_cast<float>(chips_[static_cast<size_t>(row) * kTileChips + static_cast<size_t>(column)]);
  };
  const float above = chip(y.first, x.first) * (1 - x.share) + chip(y.first, x.second) * x.share;
  const float below = chip(y.second, x.first) * (1 - x.share) + chip(y.second, x.second) * x.share;
  return above * (1 - y.share) + below * y.share;
}

}  // namespace coco::vision
