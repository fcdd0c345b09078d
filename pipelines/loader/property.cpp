#include "pipelines/loader/property.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "pipelines/loader/message.h"

namespace coco::loader {
namespace {

std::optional<bool> parse_bool(const std::string& text) {
  for (const char* word : {"true", "yes", "on", "1"}) {
    if (g_ascii_strcasecmp(text.c_str(), word) == 0) return true;
  }
  for (const char* word : {"false", "no", "off", "0"}) {
    if (g_ascii_strcasecmp(text.c_str(), word) == 0) return false;
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> parse_integer(const std::string& text) {
  T number{};
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<double> parse_real(const std::string& text) {
  char* end = nullptr;
  const double number = g_ascii_strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool set_enum(const std::string& text, GParamSpec* spec, GValue* value) {
  GEnumClass* values = G_PARAM_SPEC_ENUM(spec)->enum_class;
  const GEnumValue* found = g_enum_get_value_by_nick(values, text.c_str());
  if (!found) found = g_enum_get_value_by_name(values, text.c_str());
  if (!found) {
    if (const auto number = parse_integer<gint>(text)) found = g_enum_get_value(values, *number);
  }
  if (found) g_value_set_enum(value, found->value);
  return found != nullptr;
}

template <typename T, typename Setter>
bool set_integer(const std::string& text, GValue* value, Setter set) {
  const auto number = parse_integer<T>(text);
  if (number) set(value, *number);
  return number.has_value();
}

bool set_value(const std::string& text, GParamSpec* spec, GValue* value) {
  switch (G_TYPE_FUNDAMENTAL(G_VALUE_TYPE(value))) {
    case G_TYPE_STRING:
      g_value_set_string(value, text.c_str());
      return true;
    case G_TYPE_BOOLEAN: {
      const auto flag = parse_bool(text);
      if (flag) g_value_set_boolean(value, *flag);
      return flag.has_value();
    }
    case G_TYPE_INT:
      return set_integer<gint>(text, value, g_value_set_int);
    case G_TYPE_UINT:
      return set_integer<guint>(text, value, g_value_set_uint);
    case G_TYPE_LONG:
      return set_integer<glong>(text, value, g_value_set_long);
    case G_TYPE_ULONG:
      return set_integer<gulong>(text, value, g_value_set_ulong);
    case G_TYPE_INT64:
      return set_integer<gint64>(text, value, g_value_set_int64);
    case G_TYPE_UINT64:
      return set_integer<guint64>(text, value, g_value_set_uint64);
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE: {
      const auto number = parse_real(text);
      if (!number) return false;
      if (G_VALUE_HOLDS_FLOAT(value)) {
        g_value_set_float(value, static_cast<gfloat>(*number));
      } else {
        g_value_set_double(value, *number);
      }
      return true;
    }
    case G_TYPE_ENUM:
      return set_enum(text, spec, value);
    default:
      return gst_value_deserialize_with_pspec(value, text.c_str(), spec);
  }
}

std::string nicks(const GEnumClass* values) {
  std::vector<std::string> words;
  for (guint i = 0; i < values->n_values; ++i) words.emplace_back(values->values[i].value_nick);
  return join(words);
}

std::string nicks(const GFlagsClass* values) {
  std::vector<std::string> words;
  for (guint i = 0; i < values->n_values; ++i) words.emplace_back(values->values[i].value_nick);
  return join(words);
}

template <typename T>
std::string range(const char* what, T low, T high) {
  std::ostringstream text;
  text << what << " from " << low << " to " << high;
  return text.str();
}

}  // namespace

std::string describe_property(GParamSpec* spec) {
  if (G_IS_PARAM_SPEC_ENUM(spec)) return "one of: " + nicks(G_PARAM_SPEC_ENUM(spec)->enum_class);
  if (G_IS_PARAM_SPEC_FLAGS(spec)) return "flags joined by '+': " + nicks(G_PARAM_SPEC_FLAGS(spec)->flags_class);
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) return "true or false";
  if (auto* s = G_IS_PARAM_SPEC_INT(spec) ? G_PARAM_SPEC_INT(spec) : nullptr) {
    return range("a whole number", s->minimum, s->maximum);
  }
  if (auto* s = G_IS_PARAM_SPEC_UINT(spec) ? G_PARAM_SPEC_UINT(spec) : nullptr) {
    return range("a whole number", s->minimum, s->maximum);
  }
  if (auto* s = G_IS_PARAM_SPEC_INT64(spec) ? G_PARAM_SPEC_INT64(spec) : nullptr) {
    return range("a whole number", s->minimum, s->maximum);
  }
  if (auto* s = G_IS_PARAM_SPEC_UINT64(spec) ? G_PARAM_SPEC_UINT64(spec) : nullptr) {
    return range("a whole number", s->minimum, s->maximum);
  }
  if (auto* s = G_IS_PARAM_SPEC_FLOAT(spec) ? G_PARAM_SPEC_FLOAT(spec) : nullptr) {
    return range("a number", s->minimum, s->maximum);
  }
  if (auto* s = G_IS_PARAM_SPEC_DOUBLE(spec) ? G_PARAM_SPEC_DOUBLE(spec) : nullptr) {
    return range("a number", s->minimum, s->maximum);
  }
  if (G_PARAM_SPEC_VALUE_TYPE(spec) == GST_TYPE_FRACTION) return "a fraction such as 30/1";
  if (G_PARAM_SPEC_VALUE_TYPE(spec) == GST_TYPE_CAPS) return "caps such as video/x-raw,width=1920";
  return std::string("a ") + g_type_name(G_PARAM_SPEC_VALUE_TYPE(spec));
}

Result<Value> convert_property(const std::string& text, GParamSpec* spec) {
  Value value(G_PARAM_SPEC_VALUE_TYPE(spec));
  // Validation changes a value that is out of range; a string is left alone (its default may be null).
  const bool converted = set_value(text, spec, value.get());
  if (!converted || (!G_VALUE_HOLDS_STRING(value.get()) && g_param_value_validate(spec, value.get()))) {
    return make_error(ErrorCode::kInvalidArgument, in_quotes(text) + " does not fit the property '" + spec->name +
                                                       "'; it takes " + describe_property(spec));
  }
  return value;
}

}  // namespace coco::loader
