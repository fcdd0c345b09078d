#include "pipelines/loader/variables.h"

#include <set>

#include "pipelines/loader/message.h"

namespace coco::loader {
namespace {

/// Longest value after substitution; a path or a caps string is far below it.
constexpr size_t kMaxValueBytes = 64 * 1024;

std::vector<std::string> names_of(const ParsedPipeline& pipeline) {
  std::vector<std::string> names;
  for (const Variable& variable : pipeline.variables) names.push_back(variable.name.value);
  return names;
}

// Calls literal(piece) and variable(name) in order for the parts of `text`.
template <typename Literal, typename Use>
Status scan(const ParsedPipeline& pipeline, const Text& text, Literal literal, Use use) {
  const std::string& value = text.value;
  for (size_t i = 0; i < value.size();) {
    const size_t dollar = value.find('$', i);
    if (dollar == std::string::npos || dollar + 1 == value.size()) {
      literal(value.substr(i));
      return {};
    }
    literal(value.substr(i, dollar - i));
    if (value[dollar + 1] == '{') {
      const size_t end = value.find('}', dollar);
      if (end == std::string::npos) {
        return error_at(pipeline.source_name, text.position, "'${' without '}' in " + in_quotes(value));
      }
      COCO_TRY(use(value.substr(dollar + 2, end - dollar - 2)));
      i = end + 1;
    } else {
      literal(std::string("$"));
      i = dollar + (value[dollar + 1] == '$' ? 2 : 1);
    }
  }
  return {};
}

template <typename Visit>
Status for_each_value(ParsedPipeline& pipeline, Visit visit) {
  for (Chain& chain : pipeline.chains) {
    for (Step& step : chain.steps) {
      if (step.kind == Step::Kind::kElement || step.kind == Step::Kind::kCaps) COCO_TRY(visit(step.value));
      for (Property& property : step.properties) COCO_TRY(visit(property.value));
    }
  }
  return {};
}

}  // namespace

Status check_variables(const ParsedPipeline& pipeline) {
  const std::vector<std::string> names = names_of(pipeline);
  std::set<std::string> declared(names.begin(), names.end()), used;
  ParsedPipeline copy = pipeline;
  COCO_TRY(for_each_value(copy, [&](Text& text) -> Status {
    return scan(
        pipeline, text, [](const std::string&) {},
        [&](const std::string& name) -> Status {
          used.insert(name);
          if (declared.count(name)) return {};
          return error_at(
              pipeline.source_name, text.position,
              "the variable " + in_quotes(name) + " is not declared under 'variables:'" + did_you_mean(name, names));
        });
  }));
  for (const Variable& variable : pipeline.variables) {
    if (used.count(variable.name.value)) continue;
    return error_at(pipeline.source_name, variable.name.position,
                    "the variable " + in_quotes(variable.name.value) + " is never used; write ${" +
                        variable.name.value + "} where its value belongs");
  }
  return {};
}

Status add_setting(std::string_view text, Settings& settings) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "a setting is written NAME=VALUE, for example width=1920; here is " + in_quotes(text));
  }
  settings[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  return {};
}

Result<ParsedPipeline> substitute(ParsedPipeline pipeline, const Settings& settings) {
  const std::vector<std::string> names = names_of(pipeline);
  Settings values;
  for (const Variable& variable : pipeline.variables) {
    const auto setting = settings.find(variable.name.value);
    if (setting != settings.end()) {
      values[variable.name.value] = setting->second;
    } else if (variable.has_default) {
      values[variable.name.value] = variable.default_value.value;
    } else {
      return error_at(pipeline.source_name, variable.name.position,
                      "the variable " + in_quotes(variable.name.value) + " has no value" +
                          (variable.help.empty() ? "" : " (" + variable.help + ")") + "; give one with --set " +
                          variable.name.value + "=...");
    }
  }
  for (const auto& [name, value] : settings) {
    if (values.count(name)) continue;
    return make_error(ErrorCode::kInvalidArgument,
                      pipeline.source_name + ": no variable is named " + in_quotes(name) + did_you_mean(name, names) +
                          (names.empty() ? "; the file has none" : "; the file has: " + join(names)));
  }
  COCO_TRY(for_each_value(pipeline, [&](Text& text) -> Status {
    std::string out;
    COCO_TRY(scan(
        pipeline, text, [&](const std::string& piece) { out += piece; },
        [&](const std::string& name) -> Status {
          out += values[name];
          if (out.size() <= kMaxValueBytes) return {};
          return error_at(pipeline.source_name, text.position, "the value is too long once its variables are filled in",
                          ErrorCode::kResourceLimit);
        }));
    text.value = std::move(out);
    return {};
  }));
  return pipeline;
}

}  // namespace coco::loader
