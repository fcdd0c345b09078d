#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/progress.h"
#include "apps/cocopipe/stop.h"
#include "apps/filejob/filejob.h"
#include "base/file.h"
#include "base/mapped_file.h"
#include "coco/disclosure.h"

namespace coco::cli {
namespace {

namespace fs = std::filesystem;
using vision::ContentOrigin;

constexpr const char* kTag = "AIGC";
constexpr size_t kMostBytes = size_t{1} << 40;

struct Options {
  filejob::DiscloseJob job;
  ContentOrigin origin{"cocopipe", ""};
  std::string policy, log = "", check;
  bool no_mark = false, copy = false, json = false, quiet = false;
  int frames = 96;
};

std::string random_id() {
  std::random_device device;
  char text[40];
  std::snprintf(text, sizeof(text), "%08x%08x%08x%08x", device(), device(), device(), device());
  return text;
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Result<std::string> hash_of(const std::string& path) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMostBytes));
  return sha256_hex(file->bytes());
}

std::string sidecar_of(const std::string& path) { return path + ".disclosure.json"; }

/// The file's AIGC metadata as it stands; recordings of pipelines carry it in the comment, as KEY=VALUE.
std::optional<std::string> find_tag(const filejob::Tags& tags) {
  const std::string prefix = std::string(kTag) + "=";
  std::optional<std::string> found;
  for (const auto& [key, value] : tags) {
    if (key == kTag && vision::read_aigc_metadata(value)) return value;
    if (value.starts_with(prefix) && vision::read_aigc_metadata(value.substr(prefix.size()))) {
      found = value.substr(prefix.size());
    }
  }
  return found;
}

/// The tag to write. Content that has one keeps it, and its producer and number are those of the mark.
Result<std::string> tag_for(const std::string& input, ContentOrigin& origin) {
  COCO_ASSIGN(const filejob::Tags tags, filejob::read_tags(input));
  const std::optional<std::string> there = find_tag(tags);
  if (!there) return vision::aigc_metadata(origin);
  const std::optional<std::string> passed = vision::aigc_passed_on(*there, origin);
  origin = *vision::read_aigc_metadata(*there);
  return *passed;
}

Status write_sidecar(const Options& options) {
  COCO_ASSIGN(const std::string hash, hash_of(options.job.output));
  const std::string text =
      vision::disclosure_manifest(options.origin, fs::path(options.job.output).filename().string(), hash, now_utc());
  return write_file_atomically(sidecar_of(options.job.output),
                               {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

Result<int> disclose(Options& options) {
  if (options.origin.id.empty()) options.origin.id = random_id();
  filejob::DiscloseJob& job = options.job;
  std::unique_ptr<vision::SessionLog> log;
  if (!options.log.empty()) {
    COCO_ASSIGN(log, vision::SessionLog::open(options.log));
  }
  const auto note_down = [&log](const char* event, const std::string& detail) {
    return log ? log->add(event, detail) : Status();
  };
  if (!options.policy.empty()) {
    COCO_ASSIGN(const vision::LabelPolicy policy, vision::read_label_policy(options.policy));
    if (policy.waive_visible_label && !log) {
      return make_error(ErrorCode::kInvalidArgument, "a waived label must be logged: give --log FILE as well");
    }
    job.label = !policy.waive_visible_label;
    if (policy.waive_visible_label) {
      COCO_TRY(note_down("label waived", policy.responsible + ", agreed " + policy.agreed + ": " + policy.reason));
    }
  }
  COCO_ASSIGN(const std::string tag, tag_for(job.input, options.origin));
  job.tags = {{kTag, tag}};
  if (!options.no_mark) job.mark = vision::mark_payload(options.origin);
  COCO_TRY(note_down("start", options.origin.id + " " + job.output));
  if (options.copy) {
    COCO_TRY(filejob::copy_with_tags(job.input, job.output, job.tags, print_note));
    COCO_TRY(write_sidecar(options));
    COCO_TRY(note_down("stop", options.origin.id));
    if (!options.quiet) std::printf("%s: metadata and manifest; pictures as they were\n", job.output.c_str());
    return static_cast<int>(kOk);
  }
  StopSignals stop;
  ProgressLine line(options.quiet);
  filejob::Hooks hooks;
  hooks.progress = [&](const filejob::Progress& p) { line.update(p.frames, p.total_frames, p.seconds); };
  hooks.note = [&](const std::string& text) { line.note(text); };
  hooks.stop = &stop.level();
  const Result<filejob::Report> report = filejob::run_disclose_job(job, hooks);
  line.finish();
  if (!report.ok()) {
    COCO_TRY(note_down("failed", report.error().message));
    return report.error();
  }
  COCO_TRY(write_sidecar(options));
  COCO_TRY(note_down("stop", options.origin.id + (job.label ? " labelled" : " without label")));
  if (!options.quiet) {
    std::printf("%s: %lld frames, %s%s, %s '%s'\n", job.output.c_str(), static_cast<long long>(report->frames_out),
                job.label ? "label" : "no label", job.mark ? " and mark" : "", kTag, options.origin.id.c_str());
  }
  return static_cast<int>(report->interrupted ? kInterrupted : kOk);
}

struct Findings {
  std::optional<ContentOrigin> tag;
  vision::MarkDetector::Finding mark;
  std::string mark_problem;
  bool sidecar = false, sidecar_matches = false;
};

/// The mark of the first frames of one size.
Result<vision::MarkDetector::Finding> find_mark(const std::string& path, int frames) {
  std::unique_ptr<vision::MarkDetector> detector;
  int width = 0, height = 0, seen = 0;
  COCO_ASSIGN([[maybe_unused]] const int64_t shown,
              filejob::show_frames(path, [&](const FrameView& frame) -> Result<bool> {
                if (!detector) {
                  COCO_ASSIGN(detector, vision::MarkDetector::create(frame.format, frame.width, frame.height));
                  width = frame.width;
                  height = frame.height;
                }
                if (frame.width != width || frame.height != height) return false;
                COCO_TRY(detector->add(frame));
                return ++seen < frames;
              }));
  if (!detector) return make_error(ErrorCode::kInvalidData, "no picture of '" + path + "' could be decoded");
  return detector->find();
}

void read_sidecar(const std::string& path, Findings& findings) {
  const auto file = MappedFile::open(sidecar_of(path), size_t{1} << 20);
  if (!file.ok()) return;
  findings.sidecar = true;
  const auto bytes = (*file)->bytes();
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  const auto hash = hash_of(path);
  if (!json.is_object() || !hash.ok()) return;
  for (const auto& assertion : json.value("assertions", nlohmann::json::array())) {
    if (!assertion.is_object() || assertion.value("label", "") != "c2pa.hash.data") continue;
    findings.sidecar_matches = assertion.value("data", nlohmann::json::object()).value("hash", "") == *hash;
  }
}

std::string hexadecimal(uint64_t bits) {
  char text[24];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

void print_findings(const std::string& path, const Findings& f) {
  std::printf("%s\n", path.c_str());
  if (f.tag)
    std::printf("  metadata   %s: producer '%s', content '%s'\n", kTag, f.tag->producer.c_str(), f.tag->id.c_str());
  else
    std::printf("  metadata   none\n");
  if (!f.mark_problem.empty()) {
    std::printf("  mark       not looked for: %s\n", f.mark_problem.c_str());
  } else if (f.mark.found) {
    const bool belongs = f.tag && vision::mark_payload(*f.tag) == f.mark.payload;
    std::printf("  mark       vendor %02x, session %010llx%s (%.1f deviations, %d frames", f.mark.payload.vendor,
                static_cast<unsigned long long>(f.mark.payload.session), belongs ? ", that of the metadata" : "",
                f.mark.confidence, f.mark.frames);
    std::printf(f.mark.shown < 0.999 ? ", %.1f %% of the height left)\n" : ")\n", 100 * f.mark.shown);
  } else {
    std::printf("  mark       none (%.1f deviations, %d frames)\n", f.mark.confidence, f.mark.frames);
  }
  std::printf("  manifest   %s\n", !f.sidecar          ? "none"
                                   : f.sidecar_matches ? "beside the file, of these bytes, unsigned"
                                                       : "beside the file, of other bytes");
}

Result<int> check(const Options& options) {
  Findings findings;
  COCO_ASSIGN(const filejob::Tags tags, filejob::read_tags(options.check));
  if (const auto tag = find_tag(tags)) findings.tag = vision::read_aigc_metadata(*tag);
  auto mark = find_mark(options.check, options.frames);
  if (mark.ok()) {
    findings.mark = *mark;
  } else if (mark.error().code == ErrorCode::kUnsupported) {
    findings.mark_problem = mark.error().message;
  } else {
    return mark.error();
  }
  read_sidecar(options.check, findings);
  const bool disclosed = findings.tag || findings.mark.found;
  if (options.json) {
    const nlohmann::ordered_json json = {{"file", options.check},
                                         {"disclosed", disclosed},
                                         {"producer", findings.tag ? findings.tag->producer : ""},
                                         {"id", findings.tag ? findings.tag->id : ""},
                                         {"mark",
                                          {{"found", findings.mark.found},
                                           {"session", findings.mark.payload.session},
                                           {"vendor", findings.mark.payload.vendor},
                                           {"deviations", findings.mark.confidence},
                                           {"shown", findings.mark.shown},
                                           {"frames", findings.mark.frames},
                                           {"bits", hexadecimal(findings.mark.bits)}}},
                                         {"manifest", findings.sidecar},
                                         {"manifest_matches", findings.sidecar_matches}};
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    print_findings(options.check, findings);
  }
  return static_cast<int>(disclosed ? kOk : kFailed);
}

}  // namespace

void add_disclose(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("disclose", "label and mark a video as altered by AI, or check one for that");
  command->add_option("input", options->job.input, "video file");
  command->add_option("output", options->job.output, "result; the container follows its extension");
  CLI::Option* check_option = command->add_option("--check", options->check, "tell what FILE discloses; 1: nothing");
  command->add_option("--provider", options->origin.producer, "who makes it, for the metadata; default cocopipe");
  command->add_option("--id", options->origin.id, "number of this content; default: a random one");
  command->add_flag("--copy", options->copy, "metadata and manifest only: pictures are copied as they are");
  command->add_flag("--no-mark", options->no_mark, "no invisible mark");
  command->add_option("--mark-strength", options->job.mark_strength, "0.25 to 4, default 1")
      ->check(CLI::Range(0.25, 4.0));
  command->add_option("--policy", options->policy, "JSON file that waives the visible label; needs --log");
  command->add_option("--log", options->log, "append to this session log");
  command->add_option("--codec", options->job.encoder.codec, "FFmpeg video encoder; default libx264");
  command->add_option("--crf", options->job.encoder.crf, "constant quality, lower is better; default 18")
      ->check(CLI::Range(0, 63));
  command->add_option("--preset", options->job.encoder.preset, "encoder preset; default fast");
  command->add_option("--frames", options->frames, "frames to look for the mark in; default 96")
      ->check(CLI::Range(1, 100000));
  command->add_flag("--json", options->json, "what --check finds, as JSON");
  command->add_flag("--drop-unsupported", options->job.drop_unsupported,
                    "leave out streams the output's container cannot hold");
  command->add_flag("--keep-damaged", options->job.keep_damaged,
                    "make what can be made of a truncated source instead of refusing it");
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer(
      "Writes OUTPUT and OUTPUT.disclosure.json. Example: cocopipe disclose swapped.mp4 out.mp4 --provider 'My "
      "studio'\n"
      "Then: cocopipe disclose --check out.mp4");
  command->callback([options, check_option, &action] {
    if (*check_option) {
      action = [options] { return check(*options); };
      return;
    }
    if (options->job.input.empty()) throw CLI::RequiredError("input");
    if (options->job.output.empty()) throw CLI::RequiredError("output");
    action = [options] { return disclose(*options); };
  });
}

}  // namespace coco::cli
