#include <chrono>
#include <mutex>
#include <thread>

#include "apps/filejob/bounded_queue.h"
#include "apps/filejob/completeness.h"
#include "apps/filejob/disclose_stage.h"
#include "apps/filejob/encoder.h"
#include "apps/filejob/frame_stage.h"
#include "apps/filejob/muxer.h"
#include "apps/filejob/source.h"
#include "apps/filejob/upscale_stage.h"

namespace coco::filejob {
namespace {

constexpr size_t kDecodedAhead = 4;
constexpr size_t kWorkedAhead = 3;

using Clock = std::chrono::steady_clock;

/// Adds the time until it goes out of scope, or pause(), to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum), start_(Clock::now()) {}
  ~Stopwatch() { pause(); }
  void pause() {
    if (running_) sum_ += std::chrono::duration<double>(Clock::now() - start_).count();
    running_ = false;
  }
  void resume() {
    start_ = Clock::now();
    running_ = true;
  }

 private:
  double& sum_;
  Clock::time_point start_;
  bool running_ = true;
};

/// One job: three threads (read and decode, work, encode and write) joined by two bounded queues.
class Job {
 public:
  Job(const FileJob& job, const MakeStage& make_stage, const Hooks& hooks)
      : job_(job), make_stage_(make_stage), hooks_(hooks) {}

  Result<Report> run() {
    start_ = Clock::now();
    COCO_TRY(prepare());
    std::thread reader([this] { read_and_decode(); });
    std::thread writer([this] { encode_and_write(); });
    work();
    reader.join();
    writer.join();
    return conclude();
  }

 private:
  StopLevel stop() const {
    return hooks_.stop != nullptr ? static_cast<StopLevel>(hooks_.stop->load()) : StopLevel::kNone;
  }
  bool aborting() const { return static_cast<int>(stop()) >= static_cast<int>(StopLevel::kAbort); }
  bool finishing() const { return stop() != StopLevel::kNone; }

  void note(const std::string& text) {
    const std::lock_guard lock(hook_mutex_);
    if (hooks_.note) hooks_.note(text);
  }
  Note noter() {
    return [this](const std::string& text) { note(text); };
  }

  void fail(Error error) {
    {
      const std::lock_guard lock(failure_mutex_);
      if (failure_.ok()) failure_ = std::move(error);
    }
    decoded_.abort();
    worked_.abort();
  }

  Status prepare() {
    COCO_ASSIGN(source_, Source::open(job_.input, hooks_.stop));
    const FileExtent extent = file_extent(source_->format(), job_.input);
    whole_file_ = extent.stated > 0 && !extent.is_cut();
    if (extent.is_cut() && !job_.keep_damaged) {
      return truncated("has " + std::to_string(extent.present) + " of its " + std::to_string(extent.stated) + " bytes");
    }
    total_frames_ = source_->expected_frames();
    if (source_->clock().guessed_rate()) note("the source states no frame rate; 25 frames a second are assumed");
    if (!job_.encode) return {};
    COCO_ASSIGN(muxer_, Muxer::create(job_.output, job_.input));
    muxer_->set_tags(job_.tags);
    COCO_ASSIGN(codec_, choose_encoder(job_.encoder.codec, &muxer_->container(), noter()));
    return muxer_->add_source(*source_, job_.drop_unsupported, noter());
  }

  void read_and_decode() {
    Stopwatch watch(report_.decode_seconds);
    PacketPtr packet(av_packet_alloc());
    bool open = packet != nullptr;
    const auto push = [&](FramePtr frame) {
      ++report_.frames_in;
      watch.pause();
      open = decoded_.push(std::move(frame));
      watch.resume();
      return open;
    };
    while (open && !finishing() && source_->read(*packet)) {
      if (packet->stream_index == source_->video().index) {
        source_->decode(packet.get(), push);
      } else if (muxer_) {
        const Status copied = muxer_->write_copy(*packet);
        if (!copied.ok()) {
          fail(copied.error());
          open = false;
        }
      }
      av_packet_unref(packet.get());
    }
    if (open && !finishing()) source_->decode(nullptr, push);
    decoded_.close();
  }

  void work() {
    const std::unique_ptr<FrameStage> stage = make_stage_(codec_, source_->clock().time_base(), noter());
    while (auto frame = decoded_.pop()) {
      if (finishing()) continue;
      Stopwatch watch(report_.upscale_seconds);
      Result<FramePtr> out = stage->process(std::move(*frame));
      watch.pause();
      if (!out.ok()) {
        fail(out.error());
        break;
      }
      if (!worked_.push(std::move(out).value())) break;
    }
    worked_.close();
    stage->report(report_);
  }

  void encode_and_write() {
    int64_t frames = 0;
    while (auto frame = worked_.pop()) {
      Stopwatch watch(report_.encode_seconds);
      const Status encoded = job_.encode ? encode(**frame) : Status();
      watch.pause();
      if (!encoded.ok()) return fail(encoded.error());
      ++frames;
      const std::lock_guard lock(hook_mutex_);
      if (hooks_.progress) hooks_.progress({frames, total_frames_, elapsed()});
    }
    if (!job_.encode) report_.frames_out = frames;
    if (!encoder_) return;
    Stopwatch watch(report_.encode_seconds);
    const Status drained = encoder_->encode(nullptr, sink());
    if (!drained.ok()) return fail(drained.error());
    report_.frames_out = encoder_->packets();
  }

  Status encode(AVFrame& frame) {
    if (!encoder_) {
      const StreamTiming timing{source_->clock().time_base(), source_->clock().frame_rate()};
      COCO_ASSIGN(encoder_, VideoEncoder::open(*codec_, job_.encoder, muxer_->container(), frame, timing, noter()));
      COCO_TRY(muxer_->start(*encoder_, frame, source_.get()));
    }
    return encoder_->encode(&frame, sink());
  }

  PacketSink sink() {
    return [this](AVPacket& packet) -> Status {
      if (aborting()) return make_error(ErrorCode::kCancelled, "stopped");
      return muxer_->write_video(packet, encoder_->context().time_base);
    };
  }

  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  Result<Report> conclude() {
    report_.decode_errors = source_->decode_errors();
    report_.interrupted = finishing();
    if (aborting()) return make_error(ErrorCode::kCancelled, "stopped; nothing was kept");
    if (!failure_.ok()) return failure_.take_error();
    COCO_TRY(check_end());
    if (report_.frames_out == 0) {
      if (report_.interrupted)
        return make_error(ErrorCode::kCancelled, "stopped before the first frame; nothing was kept");
      return make_error(ErrorCode::kInvalidData,
                        "no picture of '" + job_.input + "' could be decoded; the file is damaged or incomplete");
    }
    if (muxer_) {
      Stopwatch watch(report_.encode_seconds);
      COCO_TRY(muxer_->finish());
    }
    report_.seconds = elapsed();
    if (encoder_) report_.encoder = encoder_->context().codec->name;
    warn();
    return report_;
  }

  Error truncated(const std::string& how) const {
    return make_error(ErrorCode::kInvalidData, "'" + job_.input + "' is truncated: it " + how +
                                                   "; get the whole file, or take what is there with --keep-damaged");
  }

  /// What could not be told at the start: a source that stopped in the middle.
  Status check_end() const {
    if (report_.interrupted || job_.keep_damaged) return {};
    if (!source_->read_error().empty()) return truncated("stops early, " + source_->read_error());
    if (!whole_file_ && source_->ended_early()) return truncated("ends before the duration it states");
    return {};
  }

  void warn() {
    if (report_.interrupted) return;
    if (report_.frames_in != report_.frames_out) {
      note("the decoder gave " + std::to_string(report_.frames_in) + " frames but " +
           std::to_string(report_.frames_out) + " were written");
    }
    if (!source_->read_error().empty()) {
      note("reading stopped early: " + source_->read_error() + "; what could be read was kept");
    }
    if (report_.decode_errors > 0) {
      note("the source is damaged or truncated in " + std::to_string(report_.decode_errors) +
           " places; what could be decoded was kept");
    } else if (source_->ended_early()) {
      note("the source ends before the duration it states; it is truncated, and what is there was kept");
    } else if (source_->video().nb_frames > report_.frames_in) {
      note("the source announces " + std::to_string(source_->video().nb_frames) + " frames but holds " +
           std::to_string(report_.frames_in) + "; it may be truncated");
    }
  }

  const FileJob& job_;
  const MakeStage& make_stage_;
  const Hooks& hooks_;
  Clock::time_point start_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Muxer> muxer_;
  std::unique_ptr<VideoEncoder> encoder_;
  const AVCodec* codec_ = nullptr;
  int64_t total_frames_ = 0;
  bool whole_file_ = false;  // the container's own sizes say that nothing is missing
  BoundedQueue<FramePtr> decoded_{kDecodedAhead}, worked_{kWorkedAhead};
  std::mutex failure_mutex_, hook_mutex_;
  Status failure_;
  Report report_;
};

}  // namespace

Result<Report> run_file_job(const FileJob& job, const MakeStage& make_stage, const Hooks& hooks) {
  return Job(job, make_stage, hooks).run();
}

Result<Report> run_upscale_job(const UpscaleJob& job, const Hooks& hooks) {
  const MakeStage make = [&job](const AVCodec* encoder, AVRational, Note note) -> std::unique_ptr<FrameStage> {
    return std::make_unique<UpscaleStage>(job, encoder, std::move(note));
  };
  return run_file_job(job, make, hooks);
}

Result<Report> run_disclose_job(const DiscloseJob& job, const Hooks& hooks) {
  const MakeStage make = [&job](const AVCodec* encoder, AVRational time_base,
                                Note note) -> std::unique_ptr<FrameStage> {
    return std::make_unique<DiscloseStage>(job, encoder, time_base, std::move(note));
  };
  return run_file_job(job, make, hooks);
}

std::string library_versions() {
  const auto text = [](const char* name, unsigned version) {
    return std::string(name) + " " + std::to_string(AV_VERSION_MAJOR(version)) + "." +
           std::to_string(AV_VERSION_MINOR(version)) + "." + std::to_string(AV_VERSION_MICRO(version));
  };
  return text("libavformat", avformat_version()) + ", " + text("libavcodec", avcodec_version()) + ", " +
         text("libswscale", swscale_version());
}

}  // namespace coco::filejob
