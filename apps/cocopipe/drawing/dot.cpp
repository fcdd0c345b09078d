#include <algorithm>
#include <cstdio>
#include <map>

#include "apps/cocopipe/drawing/drawing.h"

namespace coco::cli {
namespace {

constexpr size_t kMostText = 44;

/// Text inside a quoted DOT string.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : format::printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// Quoted and cut: a file's names may be as long as they like.
std::string label(std::string_view text) {
  if (text.size() <= kMostText) return quoted(text);
  size_t end = kMostText - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // no half of a UTF-8 character
  return quoted(text.substr(0, end)) + "...";
}

/// "Conv2d 3x3 /2 group 32, relu"
template <typename Window>
std::string conv_text(const Window& p) {
  std::string text = " " + std::to_string(p.kernel[0]) + "x" + std::to_string(p.kernel[1]);
  if (p.stride[0] != 1 || p.stride[1] != 1)
    text += " /" + std::to_string(p.stride[0]) + (p.stride[0] == p.stride[1] ? "" : "x" + std::to_string(p.stride[1]));
  if (p.dilation[0] != 1 || p.dilation[1] != 1) text += " dilation " + std::to_string(p.dilation[0]);
  if constexpr (requires { p.group; }) {
    if (p.group != 1) text += " group " + std::to_string(p.group);
  }
  return text;
}

std::string operator_text(const format::Operator& op) {
  const std::string kind(to_string(op.kind()));
  if (const auto* conv = std::get_if<format::Conv2dParams>(&op.params)) {
    const bool slope = op.inputs.size() > 3 && op.inputs[3] != format::kNoValue;
    const bool none = conv->activation == format::UnaryKind::kIdentity;
    return kind + conv_text(*conv) + (slope ? ", prelu" : none ? "" : ", " + std::string(to_string(conv->activation)));
  }
  if (const auto* conv = std::get_if<format::QuantConv2dParams>(&op.params)) return kind + conv_text(*conv);
  if (const auto* conv = std::get_if<format::ConvTranspose2dParams>(&op.params)) return kind + conv_text(*conv);
  if (const auto* pool = std::get_if<format::Pool2dParams>(&op.params))
    return kind + " " + std::string(to_string(pool->kind)) + conv_text(*pool);
  if (const auto* unary = std::get_if<format::UnaryParams>(&op.params))
    return kind + " " + std::string(to_string(unary->kind));
  if (const auto* binary = std::get_if<format::BinaryParams>(&op.params))
    return kind + " " + std::string(to_string(binary->kind));
  const std::string params = format::to_text(op.params);
  return params.empty() ? kind : kind + " " + params;
}

std::string milliseconds(double ms, double total) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f ms, %.1f %%", ms, total > 0 ? 100 * ms / total : 0.0);
  return text;
}

/// White for nothing to orange for the slowest.
std::string colour(double ms, double slowest) {
  const double share = slowest > 0 ? std::clamp(ms / slowest, 0.0, 1.0) : 0.0;
  char text[16];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", 255, static_cast<int>(255 - 105 * share),
                static_cast<int>(255 - 215 * share));
  return text;
}

class Part {
 public:
  Part(const DrawnProgram& drawn, size_t number) : drawn_(drawn), prefix_(std::string(1, 'a' + number % 26)) {
    for (const OperatorProfile& row : drawn.operators) {
      total_ += row.ms;
      step_ms_[row.step] += row.ms;
      if (row.index < 0) continue;
      slowest_ = std::max(slowest_, row.ms);
      row_of_[row.index] = &row;
      members_[row.step].push_back(row.index);
    }
  }

  std::string text() {
    out_ = "  subgraph cluster_" + prefix_ + " {\n    label=\"" + label(drawn_.title) + times(total_, total_) +
           "\"; color=\"#b0b0b0\"; style=rounded; fontsize=14;\n";
    for (size_t i = 0; i < program().inputs.size(); ++i) end_node("i", i, program().inputs[i]);
    for (size_t i = 0; i < program().outputs.size(); ++i) end_node("o", i, program().outputs[i]);
    for (size_t i = 0; i < program().operators.size(); ++i) {
      if (!is_boxed(static_cast<int>(i))) node(i);
    }
    for (const auto& [step, members] : members_) box(step, members);
    out_ += "  }\n";
    edges();
    return std::move(out_);
  }

 private:
  const format::Program& program() const { return *drawn_.program; }

  std::string times(double ms, double total) const {
    return drawn_.times && !drawn_.operators.empty() ? "\\n" + milliseconds(ms, total) : "";
  }

  /// Steps of one operator need no box.
  bool is_boxed(int index) const {
    const auto row = row_of_.find(index);
    return row != row_of_.end() && members_.at(row->second->step).size() > 1;
  }

  std::string tensor(int32_t number) const {
    const auto n = static_cast<size_t>(number);
    const Shape& shape = drawn_.shapes.empty() ? program().values[n].shape : drawn_.shapes[n];
    std::string text;
    for (const int64_t dim : shape.dims()) text += (text.empty() ? "" : "x") + (dim < 0 ? "?" : std::to_string(dim));
    return text + (text.empty() ? "" : " ") + std::string(to_string(program().values[n].type));
  }

  void end_node(const char* kind, size_t i, int32_t value) {
    out_ += "    " + prefix_ + kind + std::to_string(i) + " [shape=ellipse, fillcolor=\"#e8eef8\", label=\"" +
            label(program().values[static_cast<size_t>(value)].name) + "\\n" + tensor(value) + "\"];\n";
  }

  void node(size_t i) {
    const format::Operator& op = program().operators[i];
    std::string text = label(operator_text(op));
    if (!op.name.empty()) text += "\\n" + label(op.name);
    for (const int32_t value : op.outputs) text += "\\n" + tensor(value);
    std::string fill = "#ffffff";
    const auto row = row_of_.find(static_cast<int>(i));
    if (row != row_of_.end() && drawn_.times) {
      text += times(row->second->ms, total_);
      fill = colour(row->second->ms, slowest_);
    }
    out_ += "    " + prefix_ + std::to_string(i) + " [fillcolor=\"" + fill + "\", label=\"" + text + "\"];\n";
  }

  void box(int step, const std::vector<int>& members) {
    if (members.size() < 2) return;
    const bool rows = row_of_.at(members[0])->row_by_row;
    out_ += "    subgraph cluster_" + prefix_ + "_" + std::to_string(step) + " {\n    label=\"step " +
            std::to_string(step) + (rows ? ", row by row" : "") + times(step_ms_[step], total_) +
            "\"; style=\"rounded,filled\"; color=\"#7f9fbf\"; fillcolor=\"#f4f8fc\"; fontsize=12;\n";
    for (const int index : members) node(static_cast<size_t>(index));
    out_ += "    }\n";
  }

  void edges() {
    std::map<int32_t, std::string> makers;
    for (size_t i = 0; i < program().inputs.size(); ++i)
      makers[program().inputs[i]] = prefix_ + "i" + std::to_string(i);
    for (size_t i = 0; i < program().operators.size(); ++i) {
      const format::Operator& op = program().operators[i];
      const std::string name = prefix_ + std::to_string(i);
      for (const int32_t value : op.inputs) {
        if (const auto maker = makers.find(value); maker != makers.end())
          out_ += "  " + maker->second + " -> " + name + ";\n";
      }
      for (const int32_t value : op.outputs) makers[value] = name;
    }
    for (size_t i = 0; i < program().outputs.size(); ++i) {
      if (const auto maker = makers.find(program().outputs[i]); maker != makers.end())
        out_ += "  " + maker->second + " -> " + prefix_ + "o" + std::to_string(i) + ";\n";
    }
  }

  const DrawnProgram& drawn_;
  std::string prefix_, out_;
  double total_ = 0, slowest_ = 0;
  std::map<int, double> step_ms_;
  std::map<int, const OperatorProfile*> row_of_;  ///< by operator
  std::map<int, std::vector<int>> members_;       ///< operators by step
};

}  // namespace

std::string to_dot(std::span<const DrawnProgram> programs) {
  std::string text =
      "digraph cocopipe {\n"
      "  graph [rankdir=TB, fontname=\"Helvetica\", nodesep=0.2, ranksep=0.3];\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=10, margin=\"0.12,0.06\"];\n"
      "  edge [color=\"#606060\", arrowsize=0.6];\n";
  for (size_t i = 0; i < programs.size(); ++i) text += Part(programs[i], i).text();
  return text + "}\n";
}

}  // namespace coco::cli
