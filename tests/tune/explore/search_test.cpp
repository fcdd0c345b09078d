#include <set>

#include "catch.h"
#include "tune/explore/configurations.h"
#include "tune/explore/objective.h"

using namespace coco::tune;

namespace {

/// Runs a search over candidates whose quality is known.
std::vector<size_t> run(Search& search, const std::vector<double>& quality) {
  std::vector<size_t> tried;
  while (const auto next = search.next()) {
    tried.push_back(*next);
    search.report(quality[*next]);
  }
  return tried;
}

}  // namespace

TEST_CASE("configurations: all of them in order, or different ones drawn at random") {
  Random random(1);
  const auto all = make_configurations({2, 3, 1}, 6, random);
  CHECK(all == std::vector<Configuration>{{0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {1, 0, 0}, {1, 1, 0}, {1, 2, 0}});
  const std::vector<int> many(40, 4);
  CHECK(count_configurations(many) == ~uint64_t{0});
  CHECK(count_configurations({4, 4, 4, 4}) == 256);
  const auto some = make_configurations(many, 100, random);
  CHECK(std::set<Configuration>(some.begin(), some.end()).size() == 100);
  for (const auto& c : some)
    for (const int choice : c) REQUIRE((choice >= 0 && choice < 4));
  Random first(5), second(5);
  CHECK(make_configurations(many, 50, first) == make_configurations(many, 50, second));
}

TEST_CASE("the smallest time that is good enough ends the search") {
  const std::vector<Candidate> candidates = {{9, 0}, {3, 0}, {5, 0}, {5, 1}, {7, 0}};
  Search search({ObjectiveKind::kSmallestTime, 36.5, 8}, candidates);
  const auto tried = run(search, {37, 36.1, 36.4, 36.3, 36.6});
  CHECK(tried == std::vector<size_t>{1, 3, 2, 4});
  CHECK(search.best() == 4);
  CHECK(search.verdict() == "36.600 dB in 7.000 ms after 4 of 5 configurations");
}

TEST_CASE("times that differ by less than the tolerance are the same") {
  const std::vector<Candidate> candidates = {{3.00, 1}, {3.02, 5}, {3.031, 9}, {2.99, 2}, {3.06, 7}};
  Search search({ObjectiveKind::kSmallestTime, 36.5, 8, 0.0125}, candidates);
  CHECK(search.order() == std::vector<size_t>{1, 3, 0, 2, 4});  // up to 3.0274 and, from 3.031 on, up to 3.069
  CHECK(Search({ObjectiveKind::kSmallestTime, 36.5, 8, 0}, candidates).order() == std::vector<size_t>{3, 0, 1, 2, 4});
}

TEST_CASE("an objective out of reach says how close it came") {
  Search quality({ObjectiveKind::kSmallestTime, 40, 8}, {{1, 0}, {2, 0}});
  CHECK(run(quality, {36, 37}).size() == 2);
  CHECK_FALSE(quality.best().has_value());
  CHECK(quality.verdict() ==
        "no configuration reaches 40.000 dB after 2 of 2 configurations; the closest has 37.000 dB in 2.000 ms");
  Search time({ObjectiveKind::kBestQuality, 0.5, 8}, {{1, 0}, {2, 0}});
  CHECK_FALSE(time.next().has_value());
  CHECK(time.verdict() == "no configuration takes at most 0.500 ms; the fastest takes 1.000 ms");
}

TEST_CASE("the best quality within a time: most promising first, until its patience ends") {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 20; ++i) candidates.push_back({static_cast<double>(i), static_cast<double>(i)});
  std::vector<double> quality(20, 30);
  quality[12] = 33;
  quality[9] = 34;
  Search search({ObjectiveKind::kBestQuality, 14, 4}, candidates);
  const auto tried = run(search, quality);
  CHECK(tried == std::vector<size_t>{14, 13, 12, 11, 10, 9, 8, 7, 6, 5});
  CHECK(search.best() == 9);
  Search exhausted({ObjectiveKind::kBestQuality, 2, 40}, candidates);
  CHECK(run(exhausted, quality).size() == 3);
}
