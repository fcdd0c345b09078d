#include "apps/cocopipe/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "apps/cocopipe/command.h"

namespace coco::cli {
namespace {

constexpr int kBarWidth = 28;

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::clamp(seconds, 0.0, 1e7) + 0.5);
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  }
  return text;
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::update(int64_t frames, int64_t total, double seconds) {
  const double interval = terminal_ ? 0.1 : 1.0;
  if (quiet_ || seconds - last_seconds_ < interval) return;
  last_seconds_ = seconds;
  const double fps = seconds > 0 ? static_cast<double>(frames) / seconds : 0;
  // The announced number is an estimate for some containers.
  const int64_t known_total = total >= frames ? total : 0;
  std::string text = "frame " + std::to_string(frames);
  if (known_total > 0) text += "/" + std::to_string(known_total);
  char rate[32];
  std::snprintf(rate, sizeof rate, "  %.1f fps", fps);
  text += rate;
  if (known_total > 0 && fps > 0) text += "  " + clock_text(static_cast<double>(known_total - frames) / fps) + " left";
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  std::string bar;
  if (known_total > 0) {
    const auto filled = static_cast<size_t>(frames * kBarWidth / known_total);
    bar = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
  }
  std::fprintf(stderr, "\r%s%s\x1b[K", bar.c_str(), text.c_str());
  drawn_ = true;
}

void ProgressLine::note(const std::string& text) {
  if (quiet_) return;
  if (drawn_) std::fprintf(stderr, "\r\x1b[K");
  print_note(text);
}

void ProgressLine::finish() {
  if (drawn_) std::fprintf(stderr, "\n");
  drawn_ = false;
}

}  // namespace coco::cli
