#include "apps/cocopipe/stop.h"

#include <csignal>

namespace coco::cli {
namespace {

std::atomic<int> stop_level{0};
static_assert(std::atomic<int>::is_always_lock_free, "touched from a signal handler");

void on_signal(int) { ++stop_level; }

}  // namespace

StopSignals::StopSignals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file size limit then is a failed write like any other.
  std::signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<int>& StopSignals::level() const { return stop_level; }

}  // namespace coco::cli
