#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "coco/log.h"
#include "pipelines/loader/build.h"
#include "pipelines/loader/factory.h"
#include "pipelines/loader/message.h"
#include "pipelines/loader/output_files.h"
#include "pipelines/loader/yaml_tree.h"

namespace coco::loader {
namespace {

using Clock = std::chrono::steady_clock;
constexpr GstClockTime kPoll = 100 * GST_MSECOND;
constexpr auto kProgressEvery = std::chrono::milliseconds(500);

std::atomic<int> g_interrupts{0};
extern "C" void count_interrupt(int) { g_interrupts.fetch_add(1, std::memory_order_relaxed); }

/// Counts SIGINT and SIGTERM while it lives.
class InterruptScope {
 public:
  explicit InterruptScope(bool active) : active_(active) {
    if (!active_) return;
    g_interrupts = 0;
    struct sigaction action = {};
    action.sa_handler = count_interrupt;
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
  }
  ~InterruptScope() {
    if (!active_) return;
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
  }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  int count() const { return active_ ? g_interrupts.load(std::memory_order_relaxed) : 0; }

 private:
  bool active_;
  struct sigaction old_int_ = {}, old_term_ = {};
};

double seconds(gint64 nanoseconds) { return static_cast<double>(nanoseconds) / GST_SECOND; }

class Player {
 public:
  Player(const BuiltPipeline& built, const RunOptions& options)
      : built_(built), options_(options), interrupts_(options.handle_interrupts) {}

  Status play() {
    const Handle<GstBus> bus(gst_element_get_bus(built_.pipeline()));
    started_ = Clock::now();
    const bool starts = gst_element_set_state(built_.pipeline(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
    while (true) {
      const MessageHandle message(gst_bus_timed_pop(bus.get(), starts ? kPoll : 0));
      if (message) {
        bool ended = false;
        COCO_TRY(handle(message.get(), ended));
        if (ended) break;
      } else if (!starts) {
        return make_error(ErrorCode::kUnavailable, built_.source_name() + ": the pipeline does not start");
      }
      const int stops = interrupts_.count() + (options_.stop ? options_.stop->load() : 0);
      if (stops > 1) return make_error(ErrorCode::kCancelled, "stopped at once; the output may be incomplete");
      if (stops == 1 && !asked_ && is_playing()) {
        asked_ = true;
        gst_element_send_event(built_.pipeline(), gst_event_new_eos());
      }
      report();
    }
    if (asked_) return make_error(ErrorCode::kCancelled, "stopped by request; the output is complete up to there");
    return {};
  }

 private:
  // An end-of-stream sent while the pipeline is still on its way to PLAYING locks up in 1.22: the source waits for its
  // streaming thread, that for the sink's state change, and that for the source.
  bool is_playing() const {
    GstState current = GST_STATE_NULL, pending = GST_STATE_VOID_PENDING;
    const GstStateChangeReturn settled = gst_element_get_state(built_.pipeline(), &current, &pending, 0);
    return settled == GST_STATE_CHANGE_SUCCESS && current == GST_STATE_PLAYING;
  }

  Status handle(GstMessage* message, bool& ended) {
    switch (GST_MESSAGE_TYPE(message)) {
      case GST_MESSAGE_EOS:
        ended = true;
        return {};
      case GST_MESSAGE_ERROR:
        return failure(message);
      case GST_MESSAGE_WARNING:
        warn(message);
        return {};
      case GST_MESSAGE_LATENCY:
        gst_bin_recalculate_latency(GST_BIN(built_.pipeline()));
        return {};
      case GST_MESSAGE_CLOCK_LOST:
        gst_element_set_state(built_.pipeline(), GST_STATE_PAUSED);
        gst_element_set_state(built_.pipeline(), GST_STATE_PLAYING);
        return {};
      default:
        return {};
    }
  }

  /// "file:line:column: factory 'name': "
  std::string place(GstMessage* message) const {
    GstObject* source = GST_MESSAGE_SRC(message);
    const Step* step = built_.step_of(source);
    if (!step) return built_.source_name() + ": ";
    const GText name(gst_object_get_name(source));
    const std::string factory = step->kind == Step::Kind::kCaps ? "caps" : step->value.value;
    return error_at(built_.source_name(), step->value.position, factory + " '" + name.get() + "': ").message;
  }

  Status failure(GstMessage* message) const {
    if (auto error = built_.late_error()) return *error;
    GError* error = nullptr;
    gchar* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    const bool missing = g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
    std::string text = place(message) + error->message;
    // The element's own words after the file and function that posted them, which only developers want.
    if (const char* details = debug ? strrchr(debug, '\n') : nullptr; details && details[1]) {
      text += std::string(" (") + (details + 1) + ")";
    }
    g_error_free(error);
    g_free(debug);
    return make_error(missing ? ErrorCode::kNotFound : ErrorCode::kInvalidData, std::move(text));
  }

  void warn(GstMessage* message) const {
    GError* error = nullptr;
    gst_message_parse_warning(message, &error, nullptr);
    const std::string text = place(message) + error->message;
    g_error_free(error);
    if (options_.on_warning) {
      options_.on_warning(text);
    } else {
      log(LogLevel::kWarning, text);
    }
  }

  void report() {
    const Clock::time_point now = Clock::now();
    if (!options_.on_progress || now < next_report_) return;
    next_report_ = now + kProgressEvery;
    Progress progress{-1, -1, std::chrono::duration<double>(now - started_).count()};
    gint64 value = 0;
    if (gst_element_query_position(built_.pipeline(), GST_FORMAT_TIME, &value))
      progress.position_seconds = seconds(value);
    if (gst_element_query_duration(built_.pipeline(), GST_FORMAT_TIME, &value) && value >= 0) {
      progress.duration_seconds = seconds(value);
    }
    options_.on_progress(progress);
  }

  const BuiltPipeline& built_;
  const RunOptions& options_;
  const InterruptScope interrupts_;
  Clock::time_point started_, next_report_;
  bool asked_ = false;
};

Result<std::string> read_text(const std::string& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) {
    return make_error(ErrorCode::kNotFound, path + ": no such file");
  }
  if (std::filesystem::is_directory(status)) {
    return make_error(ErrorCode::kInvalidArgument, path + ": is a folder; name the pipeline file in it");
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMaxTextBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (!stream.is_open())) return make_error(ErrorCode::kIo, path + ": cannot be read");
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

Result<std::unique_ptr<BuiltPipeline>> open_pipeline(const std::string& path, const RunOptions& options) {
  COCO_ASSIGN(const std::string text, read_text(path));
  COCO_ASSIGN(ParsedPipeline written, parse_pipeline(text, path));
  COCO_ASSIGN(const ParsedPipeline parsed, substitute(std::move(written), options.settings));
  COCO_TRY(prepare_gstreamer(options.plugin_folders));
  return BuiltPipeline::build(parsed);
}

}  // namespace

Status run_pipeline_file(const std::string& path, const RunOptions& options) {
  COCO_ASSIGN(const std::unique_ptr<BuiltPipeline> built, open_pipeline(path, options));
  const OutputFiles outputs(built->pipeline());
  const Status played = Player(*built, options).play();
  if (!played.ok() && played.error().code != ErrorCode::kCancelled) outputs.remove_written();
  return played;
}

Status check_pipeline_file(const std::string& path, const RunOptions& options) {
  COCO_ASSIGN(const std::unique_ptr<BuiltPipeline> built, open_pipeline(path, options));
  return {};
}

}  // namespace coco::loader
