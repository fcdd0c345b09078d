// Purpose: a parsed pipeline as a GstPipeline whose late links are made when their pads appear.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coco/status.h"
#include "pipelines/loader/gst_handle.h"
#include "pipelines/loader/late_links.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// Stops the pipeline when it goes.
class BuiltPipeline {
 public:
  static Result<std::unique_ptr<BuiltPipeline>> build(const ParsedPipeline& parsed);
  ~BuiltPipeline();
  BuiltPipeline(const BuiltPipeline&) = delete;
  BuiltPipeline& operator=(const BuiltPipeline&) = delete;

  GstElement* pipeline() const { return pipeline_.get(); }
  /// The step that made `object` or one of its parents; null for the pipeline itself.
  const Step* step_of(GstObject* object) const;
  const std::string& source_name() const { return source_name_; }
  /// The first late link that failed.
  std::optional<Error> late_error() const { return late_links_.error(); }

 private:
  /// An element of a chain, in order.
  struct Node {
    const Step* step;
    GstElement* element;  ///< owned by the pipeline
  };
  struct End {
    GstElement* element;
    std::string pad;
    const Step* step;
  };

  BuiltPipeline() = default;
  Status make_elements();
  Status link_chain(const Chain& chain);
  Status link(const End& from, const End& to);
  Status check_ends() const;
  End end_of(const Step& step) const;
  bool is_late(const End& from) const;

  ParsedPipeline parsed_;
  std::string source_name_;
  Handle<GstElement> pipeline_;
  std::map<const Step*, GstElement*> elements_;
  std::map<std::string, GstElement*> named_;
  LateLinks late_links_;
};

}  // namespace coco::loader
