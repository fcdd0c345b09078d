// Channel ordering: output channels whose weights are zero in the same places come to share a tile, and input channels
// likewise a word of four, so that the integer kernels' entry lists (kernels/qconv/qconv_row.h) get shorter. The
// permutation of a tensor's channels is folded into the convolution that makes it and those that read it. What the
// pruning literature calls filter kernel reordering (W. Niu et al., PatDNN, 2020), for tiles of 4 and 8 channels.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using Order = std::vector<size_t>;  // by new position: the channel that comes there
using Bits = std::vector<uint64_t>;

constexpr size_t kWord = 4;               // input channels of an entry
constexpr int kRounds = 4;                // over all tensors: the order of one decides what is alike in its neighbours
constexpr size_t kMaxSweeps = 100;        // over all pairs of channels
constexpr size_t kMaxWork = 500'000'000;  // words looked at from one start: about a second

const format::Conv2dParams* plain_conv(const graph::Node* node) {
  const auto* conv = node != nullptr ? node->as<format::Conv2dParams>() : nullptr;
  return conv != nullptr && conv->group == 1 && node->input(1)->is_constant() ? conv : nullptr;
}

/// Whether the channels of a tensor may change places: one convolution makes it, and convolutions alone read it.
bool is_free(const graph::Graph& graph, const graph::Value& value) {
  if (plain_conv(value.producer()) == nullptr || value.uses().empty()) return false;
  if (graph.use_count(&value) != value.uses().size()) return false;  // an output of the graph
  const graph::Node& producer = *value.producer();
  for (const size_t slot : {size_t{2}, size_t{3}})
    if (producer.input(slot) != nullptr && !producer.input(slot)->is_constant()) return false;
  return std::all_of(value.uses().begin(), value.uses().end(),
                     [](const graph::Use& use) { return use.slot == 0 && plain_conv(use.node) != nullptr; });
}

/// Where each channel has weights, as seen by one convolution, and what an entry list pays for channels side by side.
class Side {
 public:
  Side(size_t channels, size_t bits, std::vector<std::pair<size_t, size_t>> prices)
      : masks_(channels, Bits((bits + 63) / 64)), prices_(std::move(prices)) {}
  void set(size_t channel, size_t bit) { masks_[channel][bit / 64] |= uint64_t{1} << bit % 64; }

  /// Of the groups that hold these two positions.
  size_t cost(const Order& order, size_t a, size_t b) const {
    size_t sum = 0;
    for (const auto& [size, price] : prices_) {
      sum += price * group_cost(order, a / size * size, size);
      if (a / size != b / size) sum += price * group_cost(order, b / size * size, size);
    }
    return sum;
  }
  size_t cost(const Order& order) const {
    size_t sum = 0;
    for (const auto& [size, price] : prices_)
      for (size_t first = 0; first < order.size(); first += size) sum += price * group_cost(order, first, size);
    return sum;
  }
  const Bits& mask(size_t channel) const { return masks_[channel]; }
  /// All channels have their weights in the same places: any order costs the same.
  bool indifferent() const {
    return std::all_of(masks_.begin(), masks_.end(), [&](const Bits& mask) { return mask == masks_[0]; });
  }
  size_t words_per_swap() const {
    size_t channels = 0;
    for (const auto& [size, price] : prices_) channels += 2 * size;
    return channels * masks_[0].size();
  }

 private:
  size_t group_cost(const Order& order, size_t first, size_t size) const {
    size_t count = 0;
    for (size_t word = 0; word < masks_[0].size(); ++word) {
      uint64_t all = 0;
      for (size_t i = first; i < std::min(first + size, order.size()); ++i) all |= masks_[order[i]][word];
      count += static_cast<size_t>(std::popcount(all));
    }
    return count;
  }
  std::vector<Bits> masks_;
  std::vector<std::pair<size_t, size_t>> prices_;  // channels of a group; of each bit it needs
};

/// As outputs: entries are (4 inputs, tap), and a tile of 8 pays twice what one of 4 does.
Side output_side(const graph::Node& conv) {
  const Shape& shape = conv.input(1)->shape();
  const std::span<const float> weights = conv.input(1)->floats();
  const auto taps = static_cast<size_t>(shape[2] * shape[3]), inputs = static_cast<size_t>(shape[1]);
  Side side(static_cast<size_t>(shape[0]), (inputs + kWord - 1) / kWord * taps, {{4, 1}, {8, 2}});
  for (size_t i = 0; i < weights.size(); ++i)
    if (weights[i] != 0) side.set(i / (inputs * taps), i / taps % inputs / kWord * taps + i % taps);
  return side;
}

/// As inputs: entries are (tile of 4 or of 8, tap).
Side input_side(const graph::Node& conv) {
  const Shape& shape = conv.input(1)->shape();
  const std::span<const float> weights = conv.input(1)->floats();
  const auto taps = static_cast<size_t>(shape[2] * shape[3]), inputs = static_cast<size_t>(shape[1]);
  const auto outputs = static_cast<size_t>(shape[0]);
  const size_t fours = (outputs + 3) / 4 * taps, eights = (outputs + 7) / 8 * taps;
  Side side(inputs, fours + 2 * eights, {{kWord, 1}});
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    const size_t m = i / (inputs * taps), c = i / taps % inputs, tap = i % taps;
    side.set(c, m / 4 * taps + tap);
    // Twice: the price of a tile of 8.
    side.set(c, fours + m / 8 * taps + tap);
    side.set(c, fours + eights + m / 8 * taps + tap);
  }
  return side;
}

size_t cost(const std::vector<Side>& sides, const Order& order) {
  return std::accumulate(sides.begin(), sides.end(), size_t{0},
                         [&](size_t sum, const Side& side) { return sum + side.cost(order); });
}

/// Swaps pairs of channels for as long as entries are saved.
void climb(const std::vector<Side>& sides, Order& order) {
  const auto near = [&](size_t a, size_t b) {
    return std::accumulate(sides.begin(), sides.end(), size_t{0},
                           [&](size_t sum, const Side& side) { return sum + side.cost(order, a, b); });
  };
  size_t words = 0;
  for (const Side& side : sides) words += side.words_per_swap();
  const size_t most = std::clamp<size_t>(kMaxWork / (words * order.size() * order.size()), 1, kMaxSweeps);
  bool better = true;
  for (size_t sweep = 0; better && sweep < most; ++sweep) {
    better = false;
    for (size_t a = 0; a < order.size(); ++a)
      for (size_t b = (a / kWord + 1) * kWord; b < order.size(); ++b) {
        const size_t before = near(a, b);
        std::swap(order[a], order[b]);
        if (near(a, b) < before)
          better = true;
        else
          std::swap(order[a], order[b]);
      }
  }
}

/// Words of four that fill up with the channel most like those in it.
Order greedy_order(const std::vector<Side>& sides, size_t channels) {
  Order left(channels), order;
  std::iota(left.begin(), left.end(), size_t{0});
  std::vector<Bits> all;  // per side: of the word at hand
  const auto grown = [&](size_t channel) {
    size_t count = 0;
    for (size_t s = 0; s < sides.size(); ++s)
      for (size_t word = 0; word < all[s].size(); ++word)
        count += static_cast<size_t>(std::popcount(all[s][word] | sides[s].mask(channel)[word]));
    return count;
  };
  while (!left.empty()) {
    if (order.size() % kWord == 0) {
      all.clear();
      for (const Side& side : sides) all.emplace_back(side.mask(0).size());
    }
    const auto next =
        order.size() % kWord == 0
            ? left.begin()
            : std::min_element(left.begin(), left.end(), [&](size_t a, size_t b) { return grown(a) < grown(b); });
    for (size_t s = 0; s < sides.size(); ++s)
      for (size_t word = 0; word < all[s].size(); ++word) all[s][word] |= sides[s].mask(*next)[word];
    order.push_back(*next);
    left.erase(next);
  }
  return order;
}

/// The best order found, from several starts; the present one unless another is cheaper.
Order best_order(const std::vector<Side>& sides, size_t channels) {
  Order identity(channels);
  std::iota(identity.begin(), identity.end(), size_t{0});
  std::vector<Order> starts{identity, greedy_order(sides, channels)};
  for (const Side& side : sides) {
    starts.push_back(identity);
    std::stable_sort(starts.back().begin(), starts.back().end(),
                     [&](size_t a, size_t b) { return side.mask(a) < side.mask(b); });
  }
  Order best = identity;
  size_t least = cost(sides, identity);
  for (Order& order : starts) {
    climb(sides, order);
    const size_t found = cost(sides, order);
    if (found < least) least = found, best = order;
  }
  return best;
}

/// A constant with the blocks of `axis` in another order.
graph::Value* permuted(graph::Graph& graph, const graph::Value& constant, size_t axis, const Order& order) {
  const std::span<const float> from = constant.floats();
  size_t inner = 1;
  for (size_t i = axis + 1; i < constant.shape().rank(); ++i) inner *= static_cast<size_t>(constant.shape()[i]);
  const size_t outer = from.size() / (order.size() * inner);
  std::vector<float> to(from.size());
  for (size_t o = 0; o < outer; ++o)
    for (size_t i = 0; i < order.size(); ++i)
      std::copy_n(from.begin() + static_cast<ptrdiff_t>((o * order.size() + order[i]) * inner), inner,
                  to.begin() + static_cast<ptrdiff_t>((o * order.size() + i) * inner));
  return graph.add_constant(constant.name(), constant.shape(), to);
}

Status apply(graph::Graph& graph, const graph::Value& value, const Order& order) {
  graph::Node* producer = value.producer();
  std::vector<graph::Value*> inputs = producer->inputs();
  inputs[1] = permuted(graph, *inputs[1], 0, order);
  for (const size_t slot : {size_t{2}, size_t{3}}) {
    const bool per_channel = producer->input(slot) != nullptr && producer->input(slot)->floats().size() == order.size();
    if (per_channel) inputs[slot] = permuted(graph, *inputs[slot], 0, order);
  }
  COCO_TRY(graph.rewrite(producer, producer->params(), std::move(inputs)));
  for (const graph::Use& use : std::vector<graph::Use>(value.uses())) {
    std::vector<graph::Value*> reads = use.node->inputs();
    reads[1] = permuted(graph, *reads[1], 1, order);
    COCO_TRY(graph.rewrite(use.node, use.node->params(), std::move(reads)));
  }
  return {};
}

}  // namespace

Status order_channels(graph::Graph& graph) {
  bool changed = true;
  for (int round = 0; changed && round < kRounds; ++round) {
    changed = false;
    for (graph::Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
      if (plain_conv(node) == nullptr || !is_free(graph, *node->output())) continue;
      std::vector<Side> sides{output_side(*node)};
      for (const graph::Use& use : node->output()->uses()) sides.push_back(input_side(*use.node));
      if (std::all_of(sides.begin(), sides.end(), [](const Side& side) { return side.indifferent(); })) continue;
      const auto channels = static_cast<size_t>(node->input(1)->shape()[0]);
      const Order order = best_order(sides, channels);
      if (std::is_sorted(order.begin(), order.end())) continue;
      COCO_TRY(apply(graph, *node->output(), order));
      changed = true;
    }
  }
  graph.erase_unused_constants();
  return {};
}

}  // namespace coco::compiler
