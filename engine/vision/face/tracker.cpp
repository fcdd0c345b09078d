#include <algorithm>

#include "coco/face.h"

namespace coco::vision {
namespace {

DetectedFace moved(DetectedFace face, float x, float y) {
  face.corner.x += x;
  face.corner.y += y;
  for (PointF& p : face.points) {
    p.x += x;
    p.y += y;
  }
  return face;
}

PointF middle(const DetectedFace& face) { return {face.corner.x + face.width / 2, face.corner.y + face.height / 2}; }

}  // namespace

DetectedFace FaceTracker::expected(size_t track, double seconds) const {
  const auto passed = static_cast<float>(std::clamp(seconds - tracks_[track].last_seen, 0.0, 0.5));
  const PointF& v = motions_[track].velocity;
  return moved(tracks_[track].face, v.x * passed, v.y * passed);
}

void FaceTracker::drop_old(double seconds) {
  for (size_t i = tracks_.size(); i-- > 0;) {
    // One that never counted is dropped as soon as it is missed.
    const double patience = tracks_[i].confirmed ? config_.forget_seconds : config_.dwell_seconds;
    if (seconds - tracks_[i].last_seen <= patience && seconds >= tracks_[i].first_seen) continue;
    tracks_.erase(tracks_.begin() + static_cast<ptrdiff_t>(i));
    motions_.erase(motions_.begin() + static_cast<ptrdiff_t>(i));
  }
}

const std::vector<TrackedFace>& FaceTracker::advance(double seconds) {
  drop_old(seconds);
  return tracks_;
}

const std::vector<TrackedFace>& FaceTracker::update(std::span<const DetectedFace> faces, double seconds) {
  drop_old(seconds);
  // The best matches of all first: two faces that cross keep who they are as long as they move on.
  struct Match {
    float overlap;
    size_t track, face;
  };
  std::vector<Match> matches;
  std::vector<bool> used(faces.size(), false), seen(tracks_.size(), false);
  for (size_t f = 0; f < faces.size(); ++f) {
    if (std::min(faces[f].width, faces[f].height) < config_.least_size) {
      used[f] = true;
      continue;
    }
    for (size_t t = 0; t < tracks_.size(); ++t) {
      const float o = overlap_of(expected(t, seconds), faces[f]);
      if (o >= config_.least_overlap) matches.push_back({o, t, f});
    }
  }
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& a, const Match& b) { return a.overlap > b.overlap; });
  for (const Match& m : matches) {
    if (used[m.face] || seen[m.track]) continue;
    used[m.face] = seen[m.track] = true;
    TrackedFace& track = tracks_[m.track];
    const double passed = seconds - track.last_seen;
    if (passed > 0) {
      const PointF from = middle(track.face), to = middle(faces[m.face]);
      PointF& v = motions_[m.track].velocity;
      // Half of what it was: detections tremble.
      v.x = 0.5f * v.x + 0.5f * (to.x - from.x) / static_cast<float>(passed);
      v.y = 0.5f * v.y + 0.5f * (to.y - from.y) / static_cast<float>(passed);
    }
    track.face = faces[m.face];
    track.last_seen = seconds;
    track.confirmed = track.confirmed || seconds - track.first_seen >= config_.dwell_seconds;
  }
  for (size_t f = 0; f < faces.size(); ++f) {
    if (used[f]) continue;
    tracks_.push_back({next_id_++, faces[f], seconds, seconds, config_.dwell_seconds <= 0});
    motions_.push_back({});
  }
  return tracks_;
}

}  // namespace coco::vision
