#include "coco/disclosure.h"

namespace coco::vision {

LabelKind LabelSchedule::next(double seconds, bool altered, std::string_view source) {
  const bool backwards = started_ && seconds < last_;
  last_ = seconds;
  if (backwards) started_ = false;
  if (altered) {
    const bool anew = !started_ || seconds - last_altered_ > kBreakSeconds || source != source_;
    if (anew) {
      started_ = true;
      full_since_ = seconds;
      source_ = source;
    }
    last_altered_ = seconds;
  }
  if (!started_) return LabelKind::kNone;
  // A full label that has begun stays for its time, even where the altered frames end.
  if (seconds - full_since_ < kFullSeconds) return LabelKind::kFull;
  return altered ? LabelKind::kCorner : LabelKind::kNone;
}

}  // namespace coco::vision
