// C. Nevill-Manning, I. Witten, Identifying Hierarchical Structure in Sequences, JAIR 1997. Pairs to look at and rules
// that lost uses wait in lists, so that every change leaves a well-formed grammar behind before the next one.
#include "tune/explore/sequitur.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "coco/status.h"

namespace coco::tune {
namespace {

class Builder {
 public:
  Builder() { new_rule(); }

  void append(int terminal) {
    const int node = insert_after(nodes_[rules_[0].guard].previous, terminal);
    look_at(nodes_[node].previous);
    settle();
  }

  Grammar grammar() const;

 private:
  /// A symbol in the ring of its rule, or the guard of that ring.
  struct Node {
    int value = 0;
    int previous = 0, next = 0;
    int guarded = -1;  ///< the rule, of a guard
    bool alive = true;
  };
  struct Rule {
    int guard = 0;
    std::vector<int> uses;
    bool alive = true;
  };

  bool is_guard(int node) const { return nodes_[node].guarded >= 0; }
  static bool is_rule(int value) { return value < 0; }
  Rule& rule_of(int value) { return rules_[-value]; }

  uint64_t pair_at(int node) const {
    const auto first = static_cast<uint32_t>(nodes_[node].value);
    return uint64_t{first} << 32 | static_cast<uint32_t>(nodes_[nodes_[node].next].value);
  }
  bool has_pair(int node) const { return nodes_[node].alive && !is_guard(node) && !is_guard(nodes_[node].next); }
  /// The pair is the whole body of a rule other than the start.
  bool is_body(int node) const {
    const int g = nodes_[node].previous;
    return nodes_[g].guarded > 0 && nodes_[nodes_[node].next].next == g;
  }

  int new_node(int value);
  int new_rule();
  int insert_after(int node, int value);
  void remove(int node);
  void forget(int node);
  void look_at(int node) {
    if (has_pair(node)) pairs_.push_back(node);
  }
  void settle();
  void check_pair(int node);
  void match(int node, int other);
  void replace_pair(int node, int value);
  void check_rule(int rule);
  void expand_use(int rule);
  void replace_by_symbol(int rule);
  void drop_use(int node);

  std::vector<Node> nodes_;
  std::vector<Rule> rules_;
  std::unordered_map<uint64_t, int> index_;  ///< of a pair: where it stands
  std::vector<int> pairs_, suspects_;        ///< nodes whose pair, rules whose use is to be looked at
};

int Builder::new_node(int value) {
  nodes_.push_back({value, 0, 0, -1, true});
  return static_cast<int>(nodes_.size()) - 1;
}

int Builder::new_rule() {
  const int g = new_node(0), rule = static_cast<int>(rules_.size());
  nodes_[g].guarded = rule;
  nodes_[g].previous = nodes_[g].next = g;
  rules_.push_back({g, {}, true});
  return rule;
}

int Builder::insert_after(int node, int value) {
  const int added = new_node(value), next = nodes_[node].next;
  nodes_[added].previous = node;
  nodes_[added].next = next;
  nodes_[node].next = nodes_[next].previous = added;
  if (is_rule(value)) rule_of(value).uses.push_back(added);
  return added;
}

// The pair at `node` is about to go. Where it overlapped an equal one (aaa), that one takes its place.
void Builder::forget(int node) {
  if (!has_pair(node)) return;
  const auto it = index_.find(pair_at(node));
  if (it == index_.end() || it->second != node) return;
  index_.erase(it);
  look_at(nodes_[node].previous);
  look_at(nodes_[node].next);
}

void Builder::drop_use(int node) {
  const int value = nodes_[node].value;
  if (!is_rule(value)) return;
  std::vector<int>& uses = rule_of(value).uses;
  uses.erase(std::find(uses.begin(), uses.end(), node));
  suspects_.push_back(-value);
}

void Builder::remove(int node) {
  const int previous = nodes_[node].previous, next = nodes_[node].next;
  forget(previous);
  forget(node);
  drop_use(node);
  nodes_[node].alive = false;
  nodes_[previous].next = next;
  nodes_[next].previous = previous;
}

void Builder::settle() {
  while (!suspects_.empty() || !pairs_.empty()) {
    if (!suspects_.empty()) {
      const int rule = suspects_.back();
      suspects_.pop_back();
      if (rules_[rule].alive) check_rule(rule);
    } else {
      const int node = pairs_.back();
      pairs_.pop_back();
      if (has_pair(node)) check_pair(node);
    }
  }
}

void Builder::check_pair(int node) {
  const auto [it, added] = index_.try_emplace(pair_at(node), node);
  const int other = it->second;
  if (added || other == node || nodes_[other].next == node || nodes_[node].next == other) return;
  match(node, other);
}

void Builder::match(int node, int other) {
  if (is_body(other)) {
    replace_pair(node, -nodes_[nodes_[other].previous].guarded);
  } else if (is_body(node)) {
    const int rule = nodes_[nodes_[node].previous].guarded;
    index_[pair_at(node)] = node;
    replace_pair(other, -rule);
  } else {
    const int rule = new_rule(), g = rules_[rule].guard;
    const int first = insert_after(g, nodes_[node].value);
    insert_after(first, nodes_[nodes_[node].next].value);
    index_[pair_at(first)] = first;
    replace_pair(other, -rule);
    replace_pair(node, -rule);
  }
}

void Builder::replace_pair(int node, int value) {
  const int previous = nodes_[node].previous, second = nodes_[node].next;
  remove(node);
  remove(second);
  const int added = insert_after(previous, value);
  look_at(previous);
  look_at(added);
  if (is_guard(previous) && is_guard(nodes_[added].next) && nodes_[previous].guarded != 0) {
    suspects_.push_back(nodes_[previous].guarded);
  }
}

void Builder::check_rule(int rule) {
  const Rule& r = rules_[rule];
  const int first = nodes_[r.guard].next;
  if (nodes_[first].next == r.guard) {
    replace_by_symbol(rule);
  } else if (r.uses.size() == 1) {
    expand_use(rule);
  }
}

// The body takes the place of its only use.
void Builder::expand_use(int rule) {
  Rule& r = rules_[rule];
  const int use = r.uses.front(), previous = nodes_[use].previous, next = nodes_[use].next;
  const int first = nodes_[r.guard].next, last = nodes_[r.guard].previous;
  forget(previous);
  forget(use);
  r.uses.clear();
  r.alive = nodes_[use].alive = nodes_[r.guard].alive = false;
  nodes_[previous].next = first;
  nodes_[first].previous = previous;
  nodes_[last].next = next;
  nodes_[next].previous = last;
  look_at(previous);
  look_at(last);
}

// A rule whose body shrank to one symbol.
void Builder::replace_by_symbol(int rule) {
  const int g = rules_[rule].guard, symbol = nodes_[g].next, value = nodes_[symbol].value;
  const std::vector<int> uses = rules_[rule].uses;
  for (const int use : uses) {
    const int previous = nodes_[use].previous;
    remove(use);
    look_at(insert_after(previous, value));
    look_at(previous);
  }
  remove(symbol);
  rules_[rule].alive = nodes_[g].alive = false;
}

Grammar Builder::grammar() const {
  std::vector<int> number(rules_.size());
  int count = 0;
  for (size_t r = 0; r < rules_.size(); ++r) {
    if (rules_[r].alive) number[r] = count++;
  }
  Grammar grammar;
  for (const Rule& rule : rules_) {
    if (!rule.alive) continue;
    std::vector<int> body;
    for (int node = nodes_[rule.guard].next; node != rule.guard; node = nodes_[node].next) {
      const int value = nodes_[node].value;
      body.push_back(is_rule(value) ? -number[-value] : value);
    }
    grammar.rules.push_back(std::move(body));
  }
  return grammar;
}

void expand_into(const Grammar& grammar, int rule, std::vector<int>& out) {
  for (const int symbol : grammar.rules[rule]) {
    if (symbol < 0) {
      expand_into(grammar, -symbol, out);
    } else {
      out.push_back(symbol);
    }
  }
}

void count_uses(const Grammar& grammar, int rule, std::vector<size_t>& counts) {
  ++counts[rule];
  for (const int symbol : grammar.rules[rule]) {
    if (symbol < 0) count_uses(grammar, -symbol, counts);
  }
}

}  // namespace

Grammar infer_grammar(std::span<const int> input) {
  Builder builder;
  for (const int terminal : input) {
    COCO_CHECK(terminal >= 0, "terminals are not negative");
    builder.append(terminal);
  }
  return builder.grammar();
}

std::vector<int> expand(const Grammar& grammar, int rule) {
  std::vector<int> out;
  expand_into(grammar, rule, out);
  return out;
}

std::vector<size_t> rule_frequencies(const Grammar& grammar) {
  std::vector<size_t> counts(grammar.rules.size());
  count_uses(grammar, 0, counts);
  return counts;
}

}  // namespace coco::tune
