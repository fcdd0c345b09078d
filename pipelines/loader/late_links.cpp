#include "pipelines/loader/late_links.h"

#include "coco/log.h"
#include "pipelines/loader/message.h"

namespace coco::loader {
namespace {

CapsHandle caps_of(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  return CapsHandle(caps ? caps : gst_pad_query_caps(pad, nullptr));
}

std::string text_of(const GstCaps* caps) {
  const GText text(gst_caps_to_string(caps));
  return text.get();
}

/// The pad the link would use, were it made now: a named or request pad, or the first free one.
Handle<GstPad> sink_pad_of(const LateLink& link) {
  if (!link.sink_pad.empty()) {
    GstPad* pad = gst_element_get_static_pad(link.sink, link.sink_pad.c_str());
    return Handle<GstPad>(pad ? pad : gst_element_request_pad_simple(link.sink, link.sink_pad.c_str()));
  }
  return Handle<GstPad>(gst_element_get_static_pad(link.sink, "sink"));
}

bool fits(const LateLink& link, GstPad* pad, const GstCaps* caps) {
  const GText name(gst_pad_get_name(pad));
  if (!link.source_pad.empty() && link.source_pad != name.get()) return false;
  const Handle<GstPad> sink(gst_element_get_static_pad(link.sink, "sink"));
  if (!sink || !link.sink_pad.empty()) {
    const Handle<GstPad> compatible(gst_element_get_compatible_pad(link.sink, pad, const_cast<GstCaps*>(caps)));
    return compatible != nullptr || !link.sink_pad.empty();
  }
  const CapsHandle accepted(gst_pad_query_caps(sink.get(), nullptr));
  return !gst_pad_is_linked(sink.get()) && gst_caps_can_intersect(accepted.get(), caps);
}

}  // namespace

void LateLinks::add(LateLink link) {
  for (GstElement* element : link.members) gst_element_set_locked_state(element, TRUE);
  if (watched_.insert(link.source).second) {
    g_signal_connect(link.source, "pad-added", G_CALLBACK(on_pad_added), this);
    g_signal_connect(link.source, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
  }
  const std::lock_guard lock(mutex_);
  links_.push_back(std::move(link));
}

std::optional<Error> LateLinks::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void LateLinks::on_pad_added(GstElement* source, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<LateLinks*>(self)->pad_added(source, pad);
}

void LateLinks::on_no_more_pads(GstElement* source, gpointer self) {
  static_cast<LateLinks*>(self)->no_more_pads(source);
}

void LateLinks::pad_added(GstElement* source, GstPad* pad) {
  const CapsHandle caps = caps_of(pad);
  LateLink* chosen = nullptr;
  {
    const std::lock_guard lock(mutex_);
    for (LateLink& link : links_) {
      if (link.source != source || link.made || !fits(link, pad, caps.get())) continue;
      link.made = true;
      chosen = &link;
      break;
    }
  }
  if (chosen) {
    make(*chosen, pad);
  } else if (log_enabled(LogLevel::kInfo)) {
    log(LogLevel::kInfo, "a stream is not used by the pipeline: " + text_of(caps.get()));
  }
}

void LateLinks::make(LateLink& link, GstPad* pad) {
  if (link.joined) {
    const char* wanted = link.joined_pad.empty() ? nullptr : link.joined_pad.c_str();
    if (!gst_element_link_pads(link.members.back(), nullptr, link.joined, wanted)) {
      const GText name(gst_element_get_name(link.joined));
      fail(link.source, link, "the branch '" + link.chain + "' does not fit into '" + name.get() + "'");
      return;
    }
  }
  const Handle<GstPad> sink = sink_pad_of(link);
  GstPadLinkReturn result = GST_PAD_LINK_REFUSED;
  if (sink) {
    result = gst_pad_link(pad, sink.get());
  } else if (gst_element_link_pads(link.source, GST_PAD_NAME(pad), link.sink, nullptr)) {
    result = GST_PAD_LINK_OK;
  }
  if (result != GST_PAD_LINK_OK) {
    fail(link.source, link, "the stream does not link (" + std::string(gst_pad_link_get_name(result)) + "): " +
                                text_of(caps_of(pad).get()));
    return;
  }
  for (auto member = link.members.rbegin(); member != link.members.rend(); ++member) {
    gst_element_set_locked_state(*member, FALSE);
    gst_element_sync_state_with_parent(*member);
  }
}

void LateLinks::no_more_pads(GstElement* source) {
  std::vector<LateLink*> missing;
  {
    const std::lock_guard lock(mutex_);
    for (LateLink& link : links_) {
      if (link.source != source || link.made) continue;
      link.made = true;
      missing.push_back(&link);
    }
  }
  for (LateLink* link : missing) {
    if (!link->optional) {
      const GText name(gst_element_get_name(source));
      fail(source, *link,
           "'" + std::string(name.get()) + "' gave no stream that fits here ('" + link->chain +
               "'); the input has none of this kind. If that is fine, mark the branch 'optional: true'");
      continue;
    }
    for (GstElement* member : link->members) {
      gst_element_set_state(member, GST_STATE_NULL);
      gst_bin_remove(GST_BIN(GST_ELEMENT_PARENT(member)), member);
    }
  }
}

void LateLinks::fail(GstElement* source, const LateLink& link, const std::string& message) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = make_error(ErrorCode::kUnsupported, link.place + message);
  }
  GST_ELEMENT_ERROR(source, STREAM, WRONG_TYPE, ("%s", message.c_str()), (nullptr));
}

}  // namespace coco::loader
