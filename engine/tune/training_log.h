// Purpose: log.jsonl and the progress of a run.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tune/trainer.h"

namespace coco::tune {

class TrainingLog {
 public:
  /// Borrows both.
  TrainingLog(const TrainOptions& options, const TrainHooks& hooks);

  /// Drops what was logged after the iteration: those validations will be done again.
  Status resume_at(int64_t iteration);
  /// Appends one line.
  Status validated(int64_t iteration, double loss, const std::vector<std::pair<std::string, double>>& figures);
  /// Calls hooks.progress, about once a second.
  void report(int64_t iteration, double loss);

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const;

  const TrainOptions& options_;
  const TrainHooks& hooks_;
  std::string path_;
  int64_t started_at_ = 0;
  Clock::time_point start_ = Clock::now(), last_report_ = start_;
};

/// Makes the run's folder; a fresh run starts a fresh log.
Status prepare_folder(const TrainOptions& options);

/// `subject`, a JSON object, with the options that decide the numbers of a run under "options".
std::string subject_of(const TrainOptions& options, const std::string& subject);

}  // namespace coco::tune
