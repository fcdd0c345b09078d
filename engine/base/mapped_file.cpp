#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace coco {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

Error system_error(const std::string& path, const char* action, int number) {
  const ErrorCode code = number == ENOENT || number == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  return make_error(code, std::string("cannot ") + action + " '" + path + "': " + std::strerror(number));
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return system_error(path, "open", errno);
  struct stat info;
  if (fstat(file.fd, &info) != 0) return system_error(path, "inspect", errno);
  if (!S_ISREG(info.st_mode)) {
    return make_error(
        ErrorCode::kInvalidArgument,
        "'" + path + "' is " + (S_ISDIR(info.st_mode) ? "a directory" : "not a regular file") + "; name a file");
  }
  const size_t size = static_cast<size_t>(info.st_size);
  if (size > max_bytes) {
    return make_error(ErrorCode::kResourceLimit, "'" + path + "' has " + std::to_string(size) + " bytes; at most " +
                                                     std::to_string(max_bytes) + " are accepted");
  }
  void* memory = nullptr;
  if (size > 0) {
    memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (memory == MAP_FAILED) return system_error(path, "map", errno);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const uint8_t*>(memory), size));
}

MappedFile::~MappedFile() {
  if (size_ > 0) munmap(const_cast<uint8_t*>(data_), size_);
}

}  // namespace coco
