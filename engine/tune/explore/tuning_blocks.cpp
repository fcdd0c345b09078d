#include "tune/explore/tuning_blocks.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "coco/status.h"
#include "tune/explore/sequitur.h"

namespace coco::tune {
namespace {

using Key = std::pair<int, std::vector<int>>;  // first module, choices

/// Units as terminals: choice * modules + module; marks lie above all of them.
class Units {
 public:
  explicit Units(const std::vector<Configuration>& configurations) : modules_(configurations.front().size()) {
    for (const Configuration& c : configurations) {
      COCO_CHECK(c.size() == modules_ && !c.empty(), "every configuration chooses for every module");
      for (const int choice : c) most_ = std::max(most_, choice);
    }
  }
  std::vector<int> text(const std::vector<Configuration>& configurations) const {
    std::vector<int> text;
    int mark = (most_ + 1) * static_cast<int>(modules_);
    for (const Configuration& c : configurations) {
      for (size_t m = 0; m < modules_; ++m) text.push_back(c[m] * static_cast<int>(modules_) + static_cast<int>(m));
      text.push_back(mark++);
    }
    return text;
  }
  bool is_mark(int terminal) const { return terminal >= (most_ + 1) * static_cast<int>(modules_); }
  Key key(const std::vector<int>& units) const {
    Key key{units.front() % static_cast<int>(modules_), {}};
    for (const int unit : units) key.second.push_back(unit / static_cast<int>(modules_));
    return key;
  }

 private:
  size_t modules_;
  int most_ = 0;
};

size_t most_frequent_within(const Grammar& grammar, const std::vector<size_t>& frequency, size_t rule) {
  size_t most = 0;
  for (const int symbol : grammar.rules[rule]) {
    if (symbol >= 0) continue;
    const auto inner = static_cast<size_t>(-symbol);
    most = std::max({most, frequency[inner], most_frequent_within(grammar, frequency, inner)});
  }
  return most;
}

/// A configuration holds each of its units once, so a rule stands in as many configurations as it stands anywhere.
std::vector<bool> choose_rules(const Grammar& grammar) {
  const std::vector<size_t> frequency = rule_frequencies(grammar);
  std::vector<bool> chosen(grammar.rules.size());
  for (size_t r = 1; r < grammar.rules.size(); ++r) {
    chosen[r] = frequency[r] >= 2 && frequency[r] >= most_frequent_within(grammar, frequency, r);
  }
  return chosen;
}

/// Cuts what a rule stands for into blocks, configuration by configuration.
class Cutter {
 public:
  Cutter(const Units& units, const Grammar& grammar)
      : units_(units), grammar_(grammar), chosen_(choose_rules(grammar)) {}

  std::vector<std::vector<Key>> cut() {
    walk(0);
    return std::move(done_);
  }

 private:
  void walk(int rule) {
    for (const int symbol : grammar_.rules[static_cast<size_t>(rule)]) {
      if (symbol < 0 && !chosen_[static_cast<size_t>(-symbol)]) {
        walk(-symbol);
      } else if (symbol < 0) {
        current_.push_back(units_.key(expand(grammar_, -symbol)));
      } else if (units_.is_mark(symbol)) {
        done_.push_back(std::move(current_));
        current_.clear();
      } else {
        current_.push_back(units_.key({symbol}));
      }
    }
  }

  const Units& units_;
  const Grammar& grammar_;
  std::vector<bool> chosen_;
  std::vector<Key> current_;
  std::vector<std::vector<Key>> done_;
};

BlockBag gather(const std::vector<std::vector<Key>>& cuts) {
  std::map<Key, size_t> number;
  for (const auto& keys : cuts) {
    for (const Key& key : keys) number.emplace(key, 0);
  }
  BlockBag bag;
  for (auto& [key, index] : number) {
    index = bag.blocks.size();
    bag.blocks.push_back({key.first, key.second, 0});
  }
  for (const auto& keys : cuts) {
    auto& assembly = bag.assembly.emplace_back();
    for (const Key& key : keys) {
      assembly.push_back(number[key]);
      ++bag.blocks[assembly.back()].frequency;
    }
  }
  return bag;
}

}  // namespace

BlockBag find_tuning_blocks(const std::vector<Configuration>& configurations) {
  if (configurations.empty()) return {};
  const Units units(configurations);
  const Grammar grammar = infer_grammar(units.text(configurations));
  return gather(Cutter(units, grammar).cut());
}

BlockBag single_unit_blocks(const std::vector<Configuration>& configurations) {
  std::vector<std::vector<Key>> cuts;
  for (const Configuration& c : configurations) {
    auto& keys = cuts.emplace_back();
    for (size_t m = 0; m < c.size(); ++m) keys.push_back({static_cast<int>(m), {c[m]}});
  }
  return gather(cuts);
}

// First come, first served in order of first module needs as many groups as blocks meet at one module at most.
std::vector<std::vector<size_t>> pack_blocks(const std::vector<TuningBlock>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return blocks[a].first < blocks[b].first; });
  std::vector<std::vector<size_t>> groups;
  for (const size_t b : order) {
    const auto free = std::find_if(groups.begin(), groups.end(), [&](const std::vector<size_t>& group) {
      return blocks[group.back()].end() <= blocks[b].first;
    });
    (free == groups.end() ? groups.emplace_back() : *free).push_back(b);
  }
  return groups;
}

}  // namespace coco::tune
