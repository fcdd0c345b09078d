// Purpose: the command line of the benchmarks' small programs that make one model of another.
#pragma once

#include <cstdio>
#include <string>

#include "base/file.h"
#include "base/mapped_file.h"
#include "format/program.h"

namespace coco::bench {

/// PROGRAM FROM TO: `change(bytes of FROM)` is the program that TO holds as a .coco file. The exit code; one line on
/// stderr when something is wrong.
template <typename Change>
int make_model(int argc, char** argv, const Change& change) {
  if (argc != 3) {
    std::fprintf(stderr, "%s: give the model to read and the .coco file to write\n", argv[0]);
    return 2;
  }
  const auto run = [&]() -> Status {
    COCO_ASSIGN(const auto file, MappedFile::open(argv[1], format::Limits::kMaxFileBytes));
    COCO_ASSIGN(const format::Program program, change(file->bytes()));
    COCO_ASSIGN(const auto written, format::write_program(program));
    return write_file_atomically(argv[2], written);
  };
  const Status status = run();
  if (!status.ok()) std::fprintf(stderr, "%s: %s\n", argv[0], status.error().message.c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace coco::bench
