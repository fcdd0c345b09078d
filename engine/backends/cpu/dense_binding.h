// Purpose: from an operator of a program to the dense kernel that runs it on this CPU.
#pragma once

#include <cstdint>

#include "coco/status.h"
#include "format/program.h"
#include "kernels/registry.h"

namespace coco::backends {

struct DenseBinding {
  const kernels::KernelRow<kernels::DenseSlot>* kernel = nullptr;
  int64_t rows = 0;  ///< units of work, see kernels/dense/dense.h
  int64_t cost = 0;  ///< elementary operations of the whole result, roughly; for splitting the work
};

/// Chooses the kernel for `op` with the shapes and types of `key`. kUnsupported names the operator and what does not
/// fit. `reference_only` takes the scalar reference even where something faster exists.
Result<DenseBinding> bind_dense(const format::Operator& op, const kernels::DenseKey& key, bool reference_only);

}  // namespace coco::backends
