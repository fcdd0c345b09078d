#include "pipelines/loader/build.h"

#include "pipelines/loader/factory.h"
#include "pipelines/loader/message.h"

namespace coco::loader {
namespace {

std::string label(GstElement* element) {
  const GText name(gst_element_get_name(element));
  GstElementFactory* factory = gst_element_get_factory(element);
  return std::string(factory ? GST_OBJECT_NAME(factory) : "element") + " '" + name.get() + "'";
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

/// A source pad that is free now, or one that can be requested.
bool has_free_source(GstElement* element) {
  for (const GList* item = element->srcpads; item; item = item->next) {
    if (!gst_pad_is_linked(GST_PAD(item->data))) return true;
  }
  for (const GList* item = gst_element_get_pad_template_list(element); item; item = item->next) {
    const auto* pad = GST_PAD_TEMPLATE(item->data);
    if (GST_PAD_TEMPLATE_DIRECTION(pad) == GST_PAD_SRC && GST_PAD_TEMPLATE_PRESENCE(pad) == GST_PAD_REQUEST)
      return true;
  }
  return false;
}

bool has_sometimes_source(GstElement* element) {
  for (const GList* item = gst_element_get_pad_template_list(element); item; item = item->next) {
    const auto* pad = GST_PAD_TEMPLATE(item->data);
    if (GST_PAD_TEMPLATE_DIRECTION(pad) == GST_PAD_SRC && GST_PAD_TEMPLATE_PRESENCE(pad) == GST_PAD_SOMETIMES)
      return true;
  }
  return false;
}

/// What the free pads of both sides carry, for the message of a link that fails.
std::string caps_of_free_pads(const GList* pads) {
  for (const GList* item = pads; item; item = item->next) {
    auto* pad = GST_PAD(item->data);
    if (gst_pad_is_linked(pad)) continue;
    const CapsHandle caps(gst_pad_query_caps(pad, nullptr));
    const GText text(gst_caps_to_string(caps.get()));
    return in_quotes(text.get());
  }
  return "";
}

std::string why_not_linked(GstElement* from, GstElement* to) {
  const std::string given = caps_of_free_pads(from->srcpads), wanted = caps_of_free_pads(to->sinkpads);
  if (!has_free_source(from)) return ": the first has no free output";
  if (given.empty() || wanted.empty()) return "";
  return ": the first gives " + given + ", the second takes " + wanted;
}

}  // namespace

Result<std::unique_ptr<BuiltPipeline>> BuiltPipeline::build(const ParsedPipeline& parsed) {
  std::unique_ptr<BuiltPipeline> built(new BuiltPipeline);
  built->parsed_ = parsed;
  built->source_name_ = parsed.source_name;
  built->pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  COCO_TRY(built->make_elements());
  for (const Chain& chain : built->parsed_.chains) COCO_TRY(built->link_chain(chain));
  COCO_TRY(built->check_ends());
  return built;
}

BuiltPipeline::~BuiltPipeline() {
  if (!pipeline_) return;
  // A locked element would keep its state; nothing may stay running.
  for (const auto& [step, element] : elements_) {
    if (GST_OBJECT_PARENT(element)) gst_element_set_locked_state(element, FALSE);
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  for (const auto& [step, element] : elements_) gst_object_unref(element);
}

const Step* BuiltPipeline::step_of(GstObject* object) const {
  for (; object; object = GST_OBJECT_PARENT(object)) {
    for (const auto& [step, element] : elements_) {
      if (GST_OBJECT(element) == object) return step;
    }
  }
  return nullptr;
}

Status BuiltPipeline::make_elements() {
  for (const Chain& chain : parsed_.chains) {
    for (const Step& step : chain.steps) {
      if (step.kind != Step::Kind::kElement && step.kind != Step::Kind::kCaps) continue;
      COCO_ASSIGN(Handle<GstElement> element, make_element(source_name_, step));
      if (!gst_bin_add(GST_BIN(pipeline_.get()), element.get())) {
        return error_at(source_name_, step.name.position, "a second element named " + in_quotes(step.name.value));
      }
      if (!step.name.value.empty()) named_[step.name.value] = element.get();
      elements_[&step] = element.release();
    }
  }
  return {};
}

BuiltPipeline::End BuiltPipeline::end_of(const Step& step) const {
  if (step.kind == Step::Kind::kElement || step.kind == Step::Kind::kCaps) return {elements_.at(&step), "", &step};
  const std::string& text = step.value.value;
  const size_t dot = text.find('.');
  return {named_.at(text.substr(0, dot)), dot == std::string::npos ? "" : text.substr(dot + 1), &step};
}

bool BuiltPipeline::is_late(const End& from) const {
  if (!from.pad.empty()) {
    const Handle<GstPad> pad(gst_element_get_static_pad(from.element, from.pad.c_str()));
    return !pad && has_sometimes_source(from.element);
  }
  return !has_free_source(from.element) && has_sometimes_source(from.element);
}

Status BuiltPipeline::link_chain(const Chain& chain) {
  const Step& first = chain.steps.front();
  const bool optional = first.kind == Step::Kind::kFrom && first.optional;
  if (optional && !is_late(end_of(first))) {
    return error_at(source_name_, first.value.position,
                    "'optional' is for sources whose outputs depend on the input; " + label(end_of(first).element) +
                        " always has them");
  }
  for (size_t i = 0; i + 1 < chain.steps.size(); ++i) {
    const End from = end_of(chain.steps[i]), to = end_of(chain.steps[i + 1]);
    if (!is_late(from)) {
      COCO_TRY(link(from, to));
      continue;
    }
    const Position& position = to.step->value.position;
    LateLink late;
    late.source = from.element;
    late.source_pad = from.pad;
    late.sink = to.element;
    late.sink_pad = to.pad;
    late.chain = chain.name.value;
    late.place = error_at(source_name_, position, "").message;
    late.optional = optional && i == 0;
    const bool joins = chain.steps.back().kind == Step::Kind::kTo;
    if (late.optional) {
      for (size_t j = 1; j < chain.steps.size() - (joins ? 1 : 0); ++j) {
        late.members.push_back(elements_.at(&chain.steps[j]));
      }
    }
    if (late.optional && joins && !late.members.empty()) {
      const End end = end_of(chain.steps.back());
      late.joined = end.element;
      late.joined_pad = end.pad;
    }
    const bool held_back = late.joined != nullptr;
    late_links_.add(std::move(late));
    if (!held_back) continue;
    for (size_t j = 1; j + 2 < chain.steps.size(); ++j) {
      COCO_TRY(link(end_of(chain.steps[j]), end_of(chain.steps[j + 1])));
    }
    return {};
  }
  return {};
}

Status BuiltPipeline::link(const End& from, const End& to) {
  if (gst_element_link_pads(from.element, or_null(from.pad), to.element, or_null(to.pad))) return {};
  return error_at(
      source_name_, to.step->value.position,
      label(from.element) + " does not link to " + label(to.element) + why_not_linked(from.element, to.element));
}

Status BuiltPipeline::check_ends() const {
  for (const Chain& chain : parsed_.chains) {
    for (const Step& step : chain.steps) {
      const auto found = elements_.find(&step);
      if (found == elements_.end()) continue;
      GstElement* element = found->second;
      const bool first = &step == &chain.steps.front();
      if (first && element->numsinkpads > 0 && !gst_pad_is_linked(GST_PAD(element->sinkpads->data))) {
        return error_at(source_name_, step.value.position,
                        "'" + chain.name.value + "' starts with " + label(element) +
                            ", which needs an input; start with a source, or a branch with '- from:'");
      }
      if (&step != &chain.steps.back() || element->numsrcpads == 0) continue;
      if (gst_pad_is_linked(GST_PAD(element->srcpads->data))) continue;
      return error_at(source_name_, step.value.position,
                      "'" + chain.name.value + "' ends with " + label(element) +
                          ", whose output goes nowhere; end it with a sink or with '- to:'");
    }
  }
  return {};
}

}  // namespace coco::loader
