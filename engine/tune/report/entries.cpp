#include "tune/report/entries.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace coco::tune {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kCardEnd = ".card.json";
constexpr const char* kFigureEnd = "_psnr_y";

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Error bad(const std::string& path, const std::string& what) {
  return make_error(ErrorCode::kInvalidData, "'" + path + "': " + what);
}

/// A number, or a text that is one; 0 otherwise.
double to_number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return 0;
  return std::strtod(value.get_ref<const std::string&>().c_str(), nullptr);
}

double number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? 0 : to_number(*found);
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Status read_card(const std::string& path, std::vector<NetworkEntry>& entries) {
  std::ifstream in(path);
  if (!in) return make_error(ErrorCode::kIo, "cannot read '" + path + "'");
  const Json card = Json::parse(in, nullptr, false);
  if (!card.is_object()) return bad(path, "not a model card (a JSON object)");
  // A card without a task is an older one of super-resolution.
  const std::string task = text_at(card, "task");
  if (!task.empty() && task != "super-resolution") return {};
  NetworkEntry entry;
  entry.ours = true;
  entry.name = text_at(card, "name");
  if (entry.name.empty()) return bad(path, "a model card needs a 'name'");
  entry.source = fs::path(path).filename().string();
  const Json figures = card.value("figures", Json::object());
  for (const auto& [key, value] : figures.items()) {
    const std::string set = ends_with(key, kFigureEnd) ? key.substr(0, key.size() - std::strlen(kFigureEnd)) : "";
    if (!set.empty() && to_number(value) > 0) entry.psnr[set] = to_number(value);
  }
  entry.parameters = number_at(figures, "parameters");
  entry.macs = number_at(figures, "macs_per_input_pixel");
  const std::string onnx = path.substr(0, path.size() - std::strlen(kCardEnd)) + ".onnx";
  if (fs::exists(onnx)) entry.onnx = onnx;
  entries.push_back(std::move(entry));
  return {};
}

Result<std::vector<std::string>> files_of(const std::string& folder) {
  std::error_code failure;
  std::vector<std::string> files;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    files.push_back(it->path().string());
  }
  if (failure) return make_error(ErrorCode::kIo, "cannot read folder '" + folder + "': " + failure.message());
  std::sort(files.begin(), files.end());
  return files;
}

/// One object for each line. A last line without end is one that was being written.
Result<std::vector<Json>> read_lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;
    Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return bad(path, "line " + std::to_string(lines.size() + 1) + " is not a JSON object");
    lines.push_back(std::move(json));
  }
  return lines;
}

Status read_log(const std::string& path, const std::string& name, std::vector<RunEntry>& runs) {
  COCO_ASSIGN(const std::vector<Json> lines, read_lines(path));
  RunEntry run{name, {}};
  for (const Json& line : lines) {
    if (!line.contains("psnr_y")) continue;
    run.points.push_back({number_at(line, "iteration"), number_at(line, "psnr_y"), number_at(line, "ssim_y"),
                          number_at(line, "seconds")});
  }
  if (!run.points.empty()) runs.push_back(std::move(run));  // runs without validation images have nothing to show
  return {};
}

std::string choices_of(const Json& line) {
  std::string text;
  for (const Json& choice : line.value("choices", Json::array())) text += (text.empty() ? "" : " ") + choice.dump();
  return text;
}

Status read_search(const std::string& path, const std::string& name, std::vector<SearchEntry>& searches) {
  COCO_ASSIGN(const std::vector<Json> lines, read_lines(path));
  SearchEntry search;
  search.name = name;
  for (const Json& line : lines) {
    const std::string phase = text_at(line, "phase");
    if (phase == "tune") {
      search.tried.push_back({choices_of(line), number_at(line, "milliseconds"), number_at(line, "psnr_start"),
                              number_at(line, "psnr_y")});
    } else if (phase == "end") {
      search.verdict = text_at(line, "verdict");
      search.configurations = number_at(line, "configurations");
      search.blocks = number_at(line, "blocks");
      search.seconds_measuring = number_at(line, "seconds_measuring");
      search.seconds_blocks = number_at(line, "seconds_blocks");
      search.seconds_tuning = number_at(line, "seconds_tuning");
    }
  }
  searches.push_back(std::move(search));
  return {};
}

Status read_run(const fs::path& folder, Runs& runs) {
  const fs::path log = folder / "log.jsonl", search = folder / "explore.jsonl";
  const std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  if (fs::exists(log)) COCO_TRY(read_log(log.string(), name, runs.runs));
  if (fs::exists(search)) COCO_TRY(read_search(search.string(), name, runs.searches));
  return {};
}

}  // namespace

Status read_cards(const std::string& path, std::vector<NetworkEntry>& entries) {
  std::error_code ignored;
  const size_t before = entries.size();
  if (!fs::is_directory(path, ignored)) {
    if (!ends_with(path, kCardEnd)) {
      return make_error(ErrorCode::kNotFound, "'" + path + "' is no folder and no .card.json file");
    }
    COCO_TRY(read_card(path, entries));
    return entries.size() > before ? Status() : bad(path, "the card of another task than super-resolution");
  }
  COCO_ASSIGN(const std::vector<std::string> files, files_of(path));
  for (const std::string& file : files) {
    if (ends_with(file, kCardEnd)) COCO_TRY(read_card(file, entries));
  }
  if (entries.size() > before) return {};
  return make_error(ErrorCode::kNotFound, "no model cards (*.card.json) in '" + path + "'");
}

Status read_runs(const std::string& folder, Runs& runs) {
  const size_t before = runs.runs.size() + runs.searches.size();
  COCO_ASSIGN(const std::vector<std::string> inside, files_of(folder));
  try {
    COCO_TRY(read_run(folder, runs));
    for (const std::string& path : inside) {
      if (fs::is_directory(path)) COCO_TRY(read_run(path, runs));
    }
  } catch (const std::exception& e) {
    return bad(folder, e.what());
  }
  if (runs.runs.size() + runs.searches.size() > before) return {};
  return make_error(ErrorCode::kNotFound,
                    "no explore.jsonl and no log.jsonl with figures in '" + folder + "' or the folders in it");
}

}  // namespace coco::tune
