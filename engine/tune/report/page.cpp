#include "tune/report/page.h"

#include <cctype>
#include <filesystem>

#include "base/file.h"

namespace coco::tune {
namespace {

constexpr const char* kStyle =
    "body{font-family:sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#282828}"
    "table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}"
    "th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "svg,img{max-width:100%;height:auto}";

bool is_number(const std::string& text) {
  return !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) != 0 || (text[0] == '-'));
}

}  // namespace

void Page::heading(const std::string& text) { body_ += "<h2>" + escape_markup(text) + "</h2>\n"; }

void Page::paragraph(const std::string& text) { body_ += "<p>" + escape_markup(text) + "</p>\n"; }

void Page::table(const std::vector<std::vector<std::string>>& rows) {
  body_ += "<table>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    body_ += "<tr>";
    for (const std::string& cell : rows[r]) {
      const char* open = r == 0 ? "<th>" : is_number(cell) ? "<td class=\"n\">" : "<td>";
      body_ += open + escape_markup(cell) + (r == 0 ? "</th>" : "</td>");
    }
    body_ += "</tr>\n";
  }
  body_ += "</table>\n";
}

Status Page::drawing(const std::string& name, const Drawing& drawing) {
  COCO_ASSIGN(const auto png, to_png(drawing));
  COCO_TRY(write(name + ".png", png));
  body_ += to_svg(drawing);
  return {};
}

Status Page::picture(const std::string& name, const std::vector<uint8_t>& png, const std::string& description) {
  COCO_TRY(write(name + ".png", png));
  body_ += "<p>" + escape_markup(description) + "</p>\n<img src=\"" + escape_markup(name) + ".png\" alt=\"" +
           escape_markup(description) + "\">\n";
  return {};
}

Result<std::vector<std::string>> Page::finish() {
  const std::string title = escape_markup(title_);
  const std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title +
                           "</title>\n<style>" + kStyle + "</style></head><body>\n<h1>" + title + "</h1>\n" + body_ +
                           "</body></html>\n";
  COCO_TRY(write("index.html", {html.begin(), html.end()}));
  return files_;
}

Status Page::write(const std::string& name, const std::vector<uint8_t>& bytes) {
  const std::string path = (std::filesystem::path(folder_) / name).string();
  COCO_TRY(write_file_atomically(path, bytes));
  files_.push_back(path);
  return {};
}

}  // namespace coco::tune
