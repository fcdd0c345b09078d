// Purpose: the benchmark cases of the kernels in kernels.def. Every row is measured on at least one case; a row
// without one makes the benchmark program fail.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace coco::bench {

struct Case {
  std::string kernel;         ///< the row's name in kernels.def
  std::string shape;          ///< what it is run on, short
  double operations = 0;      ///< arithmetic of one run: a multiply-add counts two
  double bytes = 0;           ///< read and written by one run
  std::function<void()> run;  ///< holds everything it needs
  bool integer = false;       ///< its operations are products of bytes
};

/// Row kernels of the line executor, one row of about a strip's width each.
std::vector<Case> row_cases();
/// Rows of integer networks, likewise.
std::vector<Case> quant_row_cases();
/// Pictures in blocks of channels.
std::vector<Case> block_cases();
/// Whole-tensor kernels.
std::vector<Case> dense_cases();
/// Integer resampling of chroma planes.
std::vector<Case> plane_cases();

/// Rows of kernels.def that none of the cases measures.
std::vector<std::string> rows_without_case(const std::vector<Case>& cases);

}  // namespace coco::bench
