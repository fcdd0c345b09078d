#include "tune/explore/objective.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace coco::tune {
namespace {

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

Search::Search(Objective objective, std::vector<Candidate> candidates)
    : objective_(objective), candidates_(std::move(candidates)), order_(candidates_.size()) {
  std::iota(order_.begin(), order_.end(), size_t{0});
  const auto time = [this](size_t i) { return candidates_[i].milliseconds; };
  const auto expected = [this](size_t i) { return candidates_[i].expected; };
  const auto better = [&](size_t a, size_t b) {
    return expected(a) != expected(b) ? expected(a) > expected(b) : time(a) < time(b);
  };
  if (objective_.kind == ObjectiveKind::kSmallestTime) {
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return time(a) < time(b); });
    for (auto first = order_.begin(); first != order_.end();) {
      const double last = time(*first) * (1.0 + objective_.tolerance);
      const auto end = std::find_if(first, order_.end(), [&](size_t i) { return time(i) > last; });
      std::stable_sort(first, end, better);
      first = end;
    }
    return;
  }
  std::erase_if(order_, [&](size_t i) { return time(i) > objective_.limit; });
  std::stable_sort(order_.begin(), order_.end(), better);
}

std::optional<size_t> Search::next() const {
  if (tried_ == order_.size()) return {};
  if (objective_.kind == ObjectiveKind::kSmallestTime) return best_ ? std::nullopt : std::optional(order_[tried_]);
  return since_better_ >= objective_.patience ? std::nullopt : std::optional(order_[tried_]);
}

void Search::report(double quality) {
  const std::optional<size_t> candidate = next();
  COCO_CHECK(candidate.has_value(), "the search is over");
  ++tried_;
  ++since_better_;
  if (!closest_ || quality > best_quality_) {
    closest_ = candidate;
    best_quality_ = quality;
    since_better_ = 0;
    if (objective_.kind == ObjectiveKind::kBestQuality) best_ = candidate;
  }
  if (objective_.kind == ObjectiveKind::kSmallestTime && quality >= objective_.limit) {
    best_ = closest_ = candidate;
    best_quality_ = quality;
  }
}

std::string Search::verdict() const {
  const std::string after =
      " after " + std::to_string(tried_) + " of " + std::to_string(candidates_.size()) + " configurations";
  if (best_) {
    return number(best_quality_, 3) + " dB in " + number(candidates_[*best_].milliseconds, 3) + " ms" + after;
  }
  if (closest_) {
    return "no configuration reaches " + number(objective_.limit, 3) + " dB" + after + "; the closest has " +
           number(best_quality_, 3) + " dB in " + number(candidates_[*closest_].milliseconds, 3) + " ms";
  }
  if (!order_.empty() || candidates_.empty()) return "nothing was tried";
  const auto fastest = std::min_element(candidates_.begin(), candidates_.end(),
                                        [](const auto& a, const auto& b) { return a.milliseconds < b.milliseconds; });
  return "no configuration takes at most " + number(objective_.limit, 3) + " ms; the fastest takes " +
         number(fastest->milliseconds, 3) + " ms";
}

}  // namespace coco::tune
