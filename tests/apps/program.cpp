#include "apps/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace coco::test {
namespace fs = std::filesystem;

namespace {

std::string source_folder() {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  return source != nullptr ? source : ".";
}

}  // namespace

int Outcome::error_lines() const {
  std::istringstream lines(err);
  int count = 0;
  for (std::string line; std::getline(lines, line);) count += line.rfind("cocopipe: error:", 0) == 0 ? 1 : 0;
  return count;
}

std::string Outcome::foreign_lines() const {
  std::istringstream lines(err);
  std::string foreign;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("cocopipe: ", 0) != 0 && line.rfind("frame ", 0) != 0) foreign += line + "\n";
  }
  return foreign;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "cocopipe-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string shipped_onnx() { return source_folder() + "/engine/models/f32/sr2x-s.onnx"; }

std::string data_file(const std::string& name) {
  const char* root = std::getenv("COCO_DATA_DIR");
  const fs::path folder = root != nullptr ? fs::path(root) : fs::path(source_folder()) / "../shared/data";
  const fs::path file = folder / name;
  if (fs::exists(file)) return file.string();
  std::printf("skipped: %s is not there (set COCO_DATA_DIR)\n", file.string().c_str());
  return "";
}

namespace {

std::string program_path() {
  const char* folder = std::getenv("COCO_BIN_DIR");
  return std::string(folder != nullptr ? folder : "build/release/bin") + "/cocopipe";
}

// What programs of another processor are started by: the words of COCO_EMULATOR.
std::vector<std::string> emulator() {
  const char* words = std::getenv("COCO_EMULATOR");
  std::istringstream stream(words != nullptr ? words : "");
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

Outcome run_program(const std::vector<std::string>& command, const std::function<void(int pid)>& meanwhile) {
  const TemporaryFolder captured;
  const std::string out = captured / "out", err = captured / "err";
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out_file, STDOUT_FILENO);
    ::dup2(err_file, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (meanwhile) meanwhile(child);
  int status = 0;
  ::waitpid(child, &status, 0);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = read_text(out);
  outcome.err = read_text(err);
  return outcome;
}

}  // namespace

Outcome run_cocopipe(const std::vector<std::string>& arguments, const std::function<void(int pid)>& meanwhile) {
  std::vector<std::string> command = emulator();
  command.push_back(program_path());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command, meanwhile);
}

Outcome run_shell(const std::string& command) {
  std::string program;
  for (const std::string& word : emulator()) program += word + " ";
  ::setenv("COCOPIPE", (program + program_path()).c_str(), 1);
  return run_program({"/bin/sh", "-c", command}, {});
}

}  // namespace coco::test
