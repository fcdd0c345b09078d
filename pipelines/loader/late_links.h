// Purpose: links from elements whose outputs appear only once the data is known (decodebin, demuxers).
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coco/status.h"
#include "pipelines/loader/gst_handle.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// A link to make when a fitting pad appears. Elements are borrowed from the pipeline.
struct LateLink {
  GstElement* source = nullptr;
  std::string source_pad;  ///< wanted name, may be empty
  GstElement* sink = nullptr;
  std::string sink_pad;  ///< may be empty
  std::string chain;
  std::string place;  ///< "file:line:column: "
  bool optional = false;
  /// Optional branches: its elements, held back until the pad comes and removed when it does not.
  std::vector<GstElement*> members;
  /// Optional branches: where the branch's last element goes then; null when it ends in a sink.
  GstElement* joined = nullptr;
  std::string joined_pad;
  bool made = false;
};

/// Thread-safe: pads appear on streaming threads. Must outlive the playing pipeline.
class LateLinks {
 public:
  /// The sources' pads are watched from now on. Before the pipeline starts.
  void add(LateLink link);
  std::optional<Error> error() const;

 private:
  static void on_pad_added(GstElement* source, GstPad* pad, gpointer self);
  static void on_no_more_pads(GstElement* source, gpointer self);
  void pad_added(GstElement* source, GstPad* pad);
  void no_more_pads(GstElement* source);
  void make(LateLink& link, GstPad* pad);
  void fail(GstElement* source, const LateLink& link, const std::string& message);

  mutable std::mutex mutex_;
  std::list<LateLink> links_;
  std::set<GstElement*> watched_;
  std::optional<Error> error_;
};

}  // namespace coco::loader
