// Purpose: a file written under a temporary name beside its final one: complete there, or absent.
// Ownership: owns the temporary file; removes it unless committed.
// Threads: one thread at a time.
// Failure: create() proves that the folder can be written; messages name path, reason and remedy.
#pragma once

#include <string>

#include "coco/status.h"

namespace coco::filejob {

class PartialFile {
 public:
  PartialFile() = default;
  /// `input` (may be empty) must not be the same file as `output`. Symbolic links are followed.
  static Result<PartialFile> create(const std::string& output, const std::string& input);
  PartialFile(PartialFile&& other) noexcept { *this = std::move(other); }
  PartialFile& operator=(PartialFile&& other) noexcept;
  ~PartialFile() { discard(); }

  const std::string& path() const { return temporary_; }
  const std::string& final_path() const { return final_; }
  /// Syncs to disk and renames over the final name.
  Status commit();
  void discard();

 private:
  std::string temporary_, final_;
};

}  // namespace coco::filejob
