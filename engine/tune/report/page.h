// Purpose: an HTML page that is put together from headings, tables and drawings; drawings also become PNG files.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "tune/report/drawing.h"

namespace coco::tune {

class Page {
 public:
  /// Files go to the folder, which is there.
  Page(std::string title, std::string folder) : title_(std::move(title)), folder_(std::move(folder)) {}

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  /// The first row is the heading. Cells that begin like a number stand to the right.
  void table(const std::vector<std::vector<std::string>>& rows);
  /// Inline, and as NAME.png.
  Status drawing(const std::string& name, const Drawing& drawing);
  /// NAME.png and a reference to it.
  Status picture(const std::string& name, const std::vector<uint8_t>& png, const std::string& description);
  /// Writes index.html; the files written since the start.
  Result<std::vector<std::string>> finish();

 private:
  Status write(const std::string& name, const std::vector<uint8_t>& bytes);

  std::string title_, folder_, body_;
  std::vector<std::string> files_;
};

}  // namespace coco::tune
