// Purpose: what a search looks for, the order in which it looks, and when it stops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

enum class ObjectiveKind : uint8_t {
  kSmallestTime,  ///< with quality >= limit
  kBestQuality,   ///< with time <= limit
};

struct Objective {
  ObjectiveKind kind = ObjectiveKind::kSmallestTime;
  double limit = 0;     ///< dB, or milliseconds
  size_t patience = 8;  ///< kBestQuality: stops after so many candidates in a row that brought nothing better
  /// kSmallestTime: times within this share of the fastest of them count as the same, for measured ones differ by
  /// chance.
  double tolerance = 0;
};

/// What is known of a configuration before it is trained.
struct Candidate {
  double milliseconds = 0;  ///< measured
  double expected = 0;      ///< quality one expects, by any measure in which more is better
};

/// Walks through candidates in the order in which they promise most:
///   kSmallestTime  from the fastest on, of those that count as equally fast the one that promises most first. The
///   first
///                  that reaches the limit is the answer: all that follow are slower, or promised less.
///   kBestQuality   those within the limit, from the best expected on; ends with its patience.
class Search {
 public:
  Search(Objective objective, std::vector<Candidate> candidates);

  /// All that it may come to.
  const std::vector<size_t>& order() const { return order_; }
  /// The next candidate to train; none when the search is over.
  std::optional<size_t> next() const;
  /// The quality that next() has reached.
  void report(double quality);

  /// The candidate that meets the objective best, once one does.
  std::optional<size_t> best() const { return best_; }
  /// Candidates trained.
  size_t tried() const { return tried_; }
  /// How the search ended, for people; says how close it came when nothing meets the objective.
  std::string verdict() const;

 private:
  Objective objective_;
  std::vector<Candidate> candidates_;
  std::vector<size_t> order_;
  size_t tried_ = 0, since_better_ = 0;
  std::optional<size_t> best_;
  double best_quality_ = 0;
  std::optional<size_t> closest_;  ///< kSmallestTime: the best quality seen
};

}  // namespace coco::tune
