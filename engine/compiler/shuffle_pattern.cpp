#include "compiler/shuffle_pattern.h"

namespace coco::compiler {
namespace {

using Perm = std::vector<int64_t>;

}  // namespace

format::OpParams match_shuffle(const Shape& in, const Shape& mid, const Perm& perm, const Shape& out) {
  if (in.rank() != 4 || mid.rank() != 6 || out.rank() != 4) return {};
  const int64_t n = in[0], c = in[1], h = in[2], w = in[3];
  auto depth_to_space = [&](int64_t block, format::DepthToSpaceMode mode) -> format::OpParams {
    if (block < 1 || c % (block * block) != 0) return {};
    const int64_t depth = c / (block * block);
    const Shape expected_mid = mode == format::DepthToSpaceMode::kDcr ? Shape{n, block, block, depth, h, w}
                                                                      : Shape{n, depth, block, block, h, w};
    if (mid != expected_mid || out != Shape{n, depth, h * block, w * block}) return {};
    return format::DepthToSpaceParams{block, mode};
  };
  if (perm == Perm{0, 3, 4, 1, 5, 2}) return depth_to_space(mid[1], format::DepthToSpaceMode::kDcr);
  if (perm == Perm{0, 1, 4, 2, 5, 3}) return depth_to_space(mid[2], format::DepthToSpaceMode::kCrd);
  // With one channel the order of (block, channel) does not matter.
  const bool block_first = perm == Perm{0, 3, 5, 1, 2, 4};
  const bool channel_first = perm == Perm{0, 1, 3, 5, 2, 4} && c == 1;
  if (block_first || channel_first) {
    const int64_t block = mid[3];
    if (block < 1 || h % block != 0 || w % block != 0) return {};
    if (mid != Shape{n, c, h / block, block, w / block, block}) return {};
    if (out != Shape{n, c * block * block, h / block, w / block}) return {};
    return format::SpaceToDepthParams{block};
  }
  return {};
}

}  // namespace coco::compiler
