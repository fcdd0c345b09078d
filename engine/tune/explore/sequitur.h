// Purpose: grammar inference by Sequitur: the repetitions of a sequence as the rules of a context-free grammar.
#pragma once

#include <span>
#include <vector>

namespace coco::tune {

/// rules[0] is the start; a symbol >= 0 is a terminal, -r stands for rules[r].
struct Grammar {
  std::vector<std::vector<int>> rules;
};

/// No pair of neighbouring symbols stands twice in the grammar (overlapping ones, as in aaa, count once), every rule
/// but the start is used at least twice, and the start expands to `input`. Terminals are not negative.
Grammar infer_grammar(std::span<const int> input);

/// What rule `rule` stands for.
std::vector<int> expand(const Grammar& grammar, int rule = 0);

/// How often each rule stands in the expansion of the start.
std::vector<size_t> rule_frequencies(const Grammar& grammar);

}  // namespace coco::tune
