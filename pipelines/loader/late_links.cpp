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

/// Whether `sink` has a free pad, or can make one, of that name (any when empty) that takes such caps.
bool takes(GstElement* sink, const std::string& name, const GstCaps* caps) {
  for (const GList* item = sink->sinkpads; item; item = item->next) {
    auto* pad = GST_PAD(item->data);
    if (gst_pad_is_linked(pad) || (!name.empty() && name != GST_PAD_NAME(pad))) continue;
    const CapsHandle accepted(gst_pad_query_caps(pad, nullptr));
    if (gst_caps_can_intersect(accepted.get(), caps)) return true;
  }
  for (const GList* item = gst_element_get_pad_template_list(sink); item; item = item->next) {
    auto* made = GST_PAD_TEMPLATE(item->data);
    if (GST_PAD_TEMPLATE_DIRECTION(made) != GST_PAD_SINK || GST_PAD_TEMPLATE_PRESENCE(made) != GST_PAD_REQUEST)
      continue;
    const CapsHandle accepted(gst_pad_template_get_caps(made));
    if (gst_caps_can_intersect(accepted.get(), caps)) return true;
  }
  return false;
}

bool fits(const LateLink& link, GstPad* pad, const GstCaps* caps) {
  const bool wanted = link.source_pad.empty() || link.source_pad == GST_PAD_NAME(pad);
  return wanted && takes(link.sink, link.sink_pad, caps);
}

bool link_pads(GstElement* from, const char* from_pad, GstElement* to, const std::string& to_pad) {
  return gst_element_link_pads(from, from_pad, to, to_pad.empty() ? nullptr : to_pad.c_str());
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
  if (link.joined && !link_pads(link.members.back(), nullptr, link.joined, link.joined_pad)) {
    const GText name(gst_element_get_name(link.joined));
    fail(link.source, link, "the branch '" + link.chain + "' does not fit into '" + name.get() + "'");
    return;
  }
  if (!link_pads(link.source, GST_PAD_NAME(pad), link.sink, link.sink_pad)) {
    fail(link.source, link, "the stream does not link here: " + text_of(caps_of(pad).get()));
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
           in_quotes(name.get()) + " gave no stream that fits here ('" + link->chain +
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
