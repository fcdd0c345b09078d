#include "apps/filejob/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace coco::filejob {
namespace {

Error cannot_write(const std::string& path, int code) {
  return make_error(code == ENOSPC || code == EDQUOT ? ErrorCode::kResourceLimit : ErrorCode::kIo,
                    "cannot write '" + path + "': " + std::strerror(code) +
                        (code == ENOSPC ? "; free some space or choose another folder"
                                        : "; choose a folder that exists and that you may write to"));
}

Status check_target(const std::string& output, const std::string& input) {
  struct stat out_info {};
  if (::stat(output.c_str(), &out_info) != 0) return {};
  if (S_ISDIR(out_info.st_mode)) {
    return make_error(ErrorCode::kInvalidArgument, "output '" + output + "' is a directory; give a file name");
  }
  if (!S_ISREG(out_info.st_mode)) {
    return make_error(
        ErrorCode::kInvalidArgument,
        "output '" + output + "' is not a regular file; give a file name (to write nothing: --no-encode)");
  }
  struct stat in_info {};
  if (!input.empty() && ::stat(input.c_str(), &in_info) == 0 && in_info.st_dev == out_info.st_dev &&
      in_info.st_ino == out_info.st_ino) {
    return make_error(ErrorCode::kInvalidArgument, "output '" + output + "' is the input; choose another name");
  }
  return {};
}

}  // namespace

Result<PartialFile> PartialFile::create(const std::string& output, const std::string& input) {
  namespace fs = std::filesystem;
  COCO_TRY(check_target(output, input));
  std::error_code ignored;
  fs::path target = output;
  if (fs::is_symlink(target, ignored)) {
    const fs::path resolved = fs::weakly_canonical(target, ignored);
    if (!resolved.empty()) target = resolved;
  }
  PartialFile file;
  file.final_ = target.string();
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::string name = ".";
  name += target.filename().string();
  name += ".part-";
  name += std::to_string(::getpid());
  const fs::path temporary = folder / name;
  // A file of that name can only be left over from a killed process with our number.
  ::unlink(temporary.c_str());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return cannot_write(output, errno);
  ::close(descriptor);
  file.temporary_ = temporary.string();
  return file;
}

PartialFile& PartialFile::operator=(PartialFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  temporary_ = std::move(other.temporary_);
  final_ = std::move(other.final_);
  other.temporary_.clear();
  return *this;
}

Status PartialFile::commit() {
  const int descriptor = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot_write(final_, errno);
  const int synced = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (synced != 0) return cannot_write(final_, synced);
  if (std::rename(temporary_.c_str(), final_.c_str()) != 0) return cannot_write(final_, errno);
  temporary_.clear();
  return {};
}

void PartialFile::discard() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

}  // namespace coco::filejob
