#include "tune/explore/sequitur.h"

#include <map>

#include "catch.h"
#include "tune/random.h"

using namespace coco::tune;

namespace {

std::vector<int> from_text(const std::string& text) { return {text.begin(), text.end()}; }

/// Pairs that stand twice without overlapping themselves.
size_t repeated_pairs(const Grammar& grammar) {
  std::map<std::pair<int, int>, std::vector<std::pair<size_t, size_t>>> places;
  for (size_t r = 0; r < grammar.rules.size(); ++r) {
    const auto& body = grammar.rules[r];
    for (size_t i = 0; i + 1 < body.size(); ++i) places[{body[i], body[i + 1]}].push_back({r, i});
  }
  size_t repeated = 0;
  for (const auto& [pair, all] : places) {
    for (size_t a = 0; a < all.size(); ++a)
      for (size_t b = a + 1; b < all.size(); ++b)
        if (all[a].first != all[b].first || all[b].second - all[a].second > 1) ++repeated;
  }
  return repeated;
}

void check_grammar(const std::vector<int>& input) {
  const Grammar grammar = infer_grammar(input);
  REQUIRE(expand(grammar) == input);
  REQUIRE(repeated_pairs(grammar) == 0);
  std::vector<size_t> uses(grammar.rules.size());
  for (const auto& body : grammar.rules)
    for (const int symbol : body)
      if (symbol < 0) ++uses[static_cast<size_t>(-symbol)];
  for (size_t r = 1; r < uses.size(); ++r) {
    REQUIRE(uses[r] >= 2);
    REQUIRE(grammar.rules[r].size() >= 2);
  }
}

}  // namespace

TEST_CASE("textbook grammars") {
  // Nevill-Manning and Witten: abcdbc -> S: a A d A, A: b c; abcdbcabcd -> S: B A B, A: b c, B: a A d.
  CHECK(infer_grammar(from_text("abcdbc")).rules == std::vector<std::vector<int>>{{'a', -1, 'd', -1}, {'b', 'c'}});
  const Grammar deep = infer_grammar(from_text("abcdbcabcd"));
  REQUIRE(deep.rules.size() == 3);
  CHECK(deep.rules[0].size() == 3);
  CHECK(rule_frequencies(deep) == std::vector<size_t>{1, 3, 2});
  // A rule that is used once only is taken apart: its body becomes longer than a pair.
  const Grammar merged = infer_grammar(from_text("abcxabcy"));
  CHECK(merged.rules == std::vector<std::vector<int>>{{-1, 'x', -1, 'y'}, {'a', 'b', 'c'}});
}

TEST_CASE("short and monotonous inputs") {
  check_grammar({});
  check_grammar({7});
  for (size_t n = 2; n < 70; ++n) check_grammar(std::vector<int>(n, 3));
  CHECK(infer_grammar({}).rules.size() == 1);
  CHECK(infer_grammar(std::vector<int>{1, 2, 3}).rules.size() == 1);
}

TEST_CASE("the grammar expands to its input, no pair stands twice, every rule is used twice: random strings") {
  Random random(17);
  for (int round = 0; round < 6000; ++round) {
    const uint32_t letters = 1 + random.below(6), length = random.below(round % 50 == 0 ? 600 : 60);
    std::vector<int> input;
    while (input.size() < length) {
      if (input.size() > 4 && random.below(3) == 0) {
        // A piece of what there is once more, so that long repetitions occur.
        const size_t from = random.below(static_cast<uint32_t>(input.size())), n = 1 + random.below(12);
        for (size_t i = from; i < from + n && i < input.size() && input.size() < length; ++i) input.push_back(input[i]);
      } else {
        input.push_back(static_cast<int>(random.below(letters)));
      }
    }
    check_grammar(input);
  }
}
