// Purpose: runs the built command line as a subprocess, in a folder of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace coco::test {

struct Outcome {
  int code = -1;  ///< exit code; 128 + signal when killed
  std::string out, err;
  /// Lines of err that start with "cocopipe: error:".
  int error_lines() const;
  /// Lines that are neither ours ("cocopipe: ...") nor progress; "" when there are none.
  std::string foreign_lines() const;
  bool err_has(const std::string& text) const { return err.find(text) != std::string::npos; }
};

/// Runs cocopipe with these arguments. `meanwhile(pid)` is called once, shortly after the start.
Outcome run_cocopipe(const std::vector<std::string>& arguments, const std::function<void(int pid)>& meanwhile = {});

/// Runs a shell command; $COCOPIPE, unquoted, is the program.
Outcome run_shell(const std::string& command);

/// A fresh folder below the system's temporary folder, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Names in the folder, hidden ones included, sorted.
  std::vector<std::string> names() const;

 private:
  std::string path_;
};

void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);
/// The f32 network that is shipped with the sources.
std::string shipped_onnx();
/// A file of the test data; "" with a printed reason when it is not there.
std::string data_file(const std::string& name);

}  // namespace coco::test
