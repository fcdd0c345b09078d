#include "tune/training_log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace coco::tune {

TrainingLog::TrainingLog(const TrainOptions& options, const TrainHooks& hooks)
    : options_(options), hooks_(hooks), path_((std::filesystem::path(options.out) / "log.jsonl").string()) {}

double TrainingLog::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

Status TrainingLog::resume_at(int64_t iteration) {
  started_at_ = iteration;
  std::ifstream in(path_);
  std::string kept, line;
  while (std::getline(in, line)) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_discarded() && entry.value("iteration", int64_t{0}) <= iteration) kept += line + "\n";
  }
  return write_file_atomically(path_, {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()});
}

Status TrainingLog::validated(int64_t iteration, double loss,
                              const std::vector<std::pair<std::string, double>>& figures) {
  nlohmann::json entry = {{"iteration", iteration},
                          {"loss", loss},
                          {"learning_rate", learning_rate_at(options_, iteration)},
                          {"seconds", seconds()}};
  for (const auto& [name, value] : figures) entry[name] = value;
  const std::string line = entry.dump();
  std::ofstream log(path_, std::ios::app);
  log << line << "\n" << std::flush;
  if (!log) return make_error(ErrorCode::kIo, "cannot write '" + path_ + "'");
  if (hooks_.log_line) hooks_.log_line(line);
  return {};
}

void TrainingLog::report(int64_t iteration, double loss) {
  const Clock::time_point now = Clock::now();
  if (!hooks_.progress || now - last_report_ < std::chrono::seconds(1)) return;
  last_report_ = now;
  Progress p{iteration, options_.iterations, loss, learning_rate_at(options_, iteration), 0, 0};
  p.per_second = static_cast<double>(iteration - started_at_) / seconds();
  p.seconds_left = static_cast<double>(options_.iterations - iteration) / std::max(p.per_second, 1e-9);
  hooks_.progress(p);
}

Status prepare_folder(const TrainOptions& options) {
  std::error_code failure;
  std::filesystem::create_directories(options.out, failure);
  if (failure) return make_error(ErrorCode::kIo, "cannot make folder '" + options.out + "': " + failure.message());
  if (!options.resume) std::filesystem::remove(std::filesystem::path(options.out) / "log.jsonl", failure);
  return {};
}

std::string subject_of(const TrainOptions& o, const std::string& subject) {
  nlohmann::json j = nlohmann::json::parse(subject);
  j["options"] = {{"seed", o.seed},
                  {"iterations", o.iterations},
                  {"batch", o.batch},
                  {"patch", o.patch},
                  {"learning_rate", o.learning_rate},
                  {"warmup", o.warmup},
                  {"loss", static_cast<int>(o.loss)},
                  {"last_loss", static_cast<int>(o.last_loss)},
                  {"last_share", o.last_share},
                  {"average_decay", o.average_decay},
                  {"optimizer", static_cast<int>(o.optimizer.kind)},
                  {"beta1", o.optimizer.beta1},
                  {"beta2", o.optimizer.beta2},
                  {"beta_factors", o.optimizer.beta_factors},
                  {"epsilon", o.optimizer.epsilon},
                  {"refresh", o.optimizer.refresh},
                  {"portable", o.portable}};
  return j.dump();
}

}  // namespace coco::tune
