// Purpose: a small search for tests: a network with random weights, pictures, two layers with choices.
#pragma once

#include <nlohmann/json.hpp>

#include "compiler/onnx/import.h"
#include "tests/tune/synthetic.h"
#include "tune/explore/explore.h"
#include "tune/lower.h"
#include "tune/onnx_export.h"

namespace coco::tune::testing {

inline Architecture small_stack() {
  Architecture a = find_architecture("sr2x-s").value();
  a.layers.erase(a.layers.begin() + 1, a.layers.begin() + 3);
  return a;  // conv0 1->8, conv1 and conv2 8->8, conv3 8->4
}

inline std::string dense_onnx() { return to_onnx(lower(make_net(3, small_stack())).value(), "dense").value(); }

inline graph::Graph import(const std::string& onnx) {
  return compiler::import_onnx({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}).value();
}

inline PruneSpec pattern(double keep) { return {PruneKind::kPattern, 8, keep, false, false, 1}; }

inline ExploreOptions small_search(const std::string& out) {
  set_threads(1);
  ExploreOptions o;
  o.train.out = out;
  o.train.batch = 2;
  o.train.patch = 16;
  o.train.warmup = 2;
  o.train.loss = LossKind::kSquared;
  o.train.checkpoint_every = 4;
  o.block_iterations = o.tuning_iterations = 8;
  o.modules = {{"conv1", {{}, pattern(6. / 9), pattern(4. / 9)}}, {"conv2", {{}, pattern(6. / 9), pattern(4. / 9)}}};
  o.passes = 2;
  return o;
}

}  // namespace coco::tune::testing
