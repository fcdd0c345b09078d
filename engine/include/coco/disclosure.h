// Purpose: tells viewers and machines that a picture was altered: a visible label, an invisible mark in the luma, and
// the words for files' metadata. For whatever changes faces; drawn after everything that scales.
// Ownership: a Discloser owns its state; frames are borrowed for the call.
// Threads: one process() at a time per object.
// Failure: create() validates everything; process() only checks that the frame fits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "coco/buffer.h"
#include "coco/export.h"
#include "coco/status.h"

namespace coco::vision {

/// What the visible label looks like on a frame.
enum class LabelKind : uint8_t {
  kNone,
  kFull,    ///< "AI MODIFIED" over "AI换脸", capitals 5.5 % of the picture's short side high
  kCorner,  ///< the same, capitals 2.5 % high
};

/// When which label is due: the full one for a while from the first altered frame, after each change of what is put in,
/// and after a break; then the corner mark as long as frames are altered. Pure: only what it is told.
class COCO_API LabelSchedule {
 public:
  /// Seconds the full label stays; GB 45438-2025 asks for at least two.
  static constexpr double kFullSeconds = 2.5;
  /// Seconds without an altered frame after which the next one starts anew.
  static constexpr double kBreakSeconds = 3;

  /// `seconds`: the frame's time, rising; a jump backwards starts anew. `source` names what is put in ("" if unknown).
  LabelKind next(double seconds, bool altered, std::string_view source);

 private:
  bool started_ = false;
  double full_since_ = 0, last_altered_ = 0, last_ = 0;
  std::string source_;
};

/// The numbers that an invisible mark carries: 48 bits, and 16 more that tell whether they were read right.
struct MarkPayload {
  uint8_t vendor = 0;
  uint64_t session = 0;  ///< 40 bits
  bool operator==(const MarkPayload&) const = default;
};

struct DiscloserConfig {
  PixelFormat format = PixelFormat::kI420;
  int width = 0, height = 0;
  bool label = true;                ///< false only by a policy, see read_label_policy
  std::optional<MarkPayload> mark;  ///< none: no invisible mark
  double mark_strength = 1;         ///< of 0.25 .. 4; 1 is meant to be unseen
};

class COCO_API Discloser {
 public:
  static Result<std::unique_ptr<Discloser>> create(const DiscloserConfig& config);
  ~Discloser();

  /// Draws in place. A frame that is not altered stays as it is, but for a label that is still due.
  Result<LabelKind> process(const MutableFrameView& frame, double seconds, bool altered, std::string_view source);

 private:
  struct State;
  explicit Discloser(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Looks for the invisible mark in frames of one size, as they come.
class COCO_API MarkDetector {
 public:
  static Result<std::unique_ptr<MarkDetector>> create(PixelFormat format, int width, int height);
  ~MarkDetector();

  Status add(const FrameView& frame);

  struct Finding {
    bool found = false;     ///< the mark is there and its check bits agree
    MarkPayload payload;    ///< what was read, right or wrong
    double confidence = 0;  ///< of the mark being there: deviations above chance
    double shown = 1;       ///< the share of the marked picture's short side that is left: 0.9 when a tenth was cut
    int frames = 0;
    uint64_t bits = 0;  ///< as read, whatever they are worth: to count errors against mark_bits
  };
  /// Of all frames so far. Tries the whole picture first, then pictures of which parts were cut away.
  Finding find() const;

 private:
  struct State;
  explicit MarkDetector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The 64 bits that stand for a payload.
COCO_API uint64_t mark_bits(const MarkPayload& payload);

/// Who made a file, for its metadata.
struct ContentOrigin {
  std::string producer;  ///< name or code of whoever provides the service
  std::string id;        ///< number of this content
};

/// What the invisible mark of this content carries: cocopipe's vendor number, and 40 bits of the origin's SHA-256.
COCO_API MarkPayload mark_payload(const ContentOrigin& origin);

/// The value of the metadata key "AIGC" (TC260-PG-20258A): JSON with Label "1" (is generated or altered),
/// ContentProducer and ProduceID, and empty fields for those who pass it on.
COCO_API std::string aigc_metadata(const ContentOrigin& origin);
/// The metadata of a file that has some already, passed on: its producer and number stay, `origin` becomes who passed
/// it on. A file carries one such label. Nothing when `text` is none.
COCO_API std::optional<std::string> aigc_passed_on(std::string_view text, const ContentOrigin& origin);
/// Reads it; nothing when `text` is no such JSON.
COCO_API std::optional<ContentOrigin> read_aigc_metadata(std::string_view text);

/// A C2PA-style manifest for a sidecar file: an action "c2pa.edited" with the IPTC source type of composites with
/// trained algorithmic media, the content's SHA-256, who made it, when. Unsigned: it states, it proves nothing.
COCO_API std::string disclosure_manifest(const ContentOrigin& origin, const std::string& title,
                                         const std::string& content_sha256, const std::string& time_utc);

/// Why the visible label may be left out: JSON {"waive_visible_label": true, "responsible": "...", "reason": "...",
/// "agreed": "2026-12-01"}. kNotFound, kInvalidData name the file and the field.
struct LabelPolicy {
  bool waive_visible_label = false;
  std::string responsible, reason, agreed;
};
COCO_API Result<LabelPolicy> read_label_policy(const std::string& path);

/// An append-only log of sessions: one JSON object a line, each with the SHA-256 of the line before, so that changes
/// show.
class COCO_API SessionLog {
 public:
  /// Opens or begins the file. A log whose lines do not follow from each other is kInvalidData, naming the line.
  static Result<std::unique_ptr<SessionLog>> open(const std::string& path);
  ~SessionLog();

  /// Adds an event with its time; on return it is on disk. A full disk is kResourceLimit, and nothing is added.
  Status add(std::string_view event, std::string_view detail);

 private:
  struct State;
  explicit SessionLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coco::vision
