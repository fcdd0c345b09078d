// What integer convolutions promise the kernels: their sums are exact, their scales are numbers.
#include "format/verify_quant.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace coco::format {
namespace {

Error bad(std::string message, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kInvalidData, std::move(message), file, line);
}

template <typename T>
T element(const Value& value, size_t i) {
  T result;
  std::memcpy(&result, value.constant.bytes.data() + i * sizeof(T), sizeof(T));
  return result;
}

}  // namespace

int64_t largest_sum(std::span<const int8_t> weights, int32_t bias, int64_t zero_point) {
  const int64_t reach = std::max<int64_t>(zero_point, 255 - zero_point);
  int64_t sum = std::abs(static_cast<int64_t>(bias));
  for (int8_t w : weights) sum += reach * std::abs(static_cast<int>(w));
  return sum;
}

Status check_quant_conv(const Program& program, const Operator& op, const std::string& where) {
  const auto& p = std::get<QuantConv2dParams>(op.params);
  constexpr const char* kNames[] = {"weight", "bias", "scale", "negative scale"};
  for (size_t slot = 1; slot < op.inputs.size(); ++slot) {
    if (op.inputs[slot] == kNoValue) continue;
    if (!program.values[static_cast<size_t>(op.inputs[slot])].is_constant())
      return bad(where + ": the " + kNames[slot - 1] + " is not a constant");
  }
  const Value& weight = program.values[static_cast<size_t>(op.inputs[1])];
  const Value& bias = program.values[static_cast<size_t>(op.inputs[2])];
  const auto channels = static_cast<size_t>(weight.shape[0]);
  const size_t taps = channels == 0 ? 0 : weight.constant.bytes.size() / channels;
  const auto* weights = reinterpret_cast<const int8_t*>(weight.constant.bytes.data());
  for (size_t m = 0; m < channels; ++m) {
    const int64_t sum = largest_sum({weights + m * taps, taps}, element<int32_t>(bias, m), p.in_zero_point);
    if (sum >= kQuantSumLimit) {
      return bad(where + ": the sums of channel " + std::to_string(m) + " can reach " + std::to_string(sum) +
                 "; exact results need less than " + std::to_string(kQuantSumLimit));
    }
  }
  for (size_t slot = 3; slot < op.inputs.size(); ++slot) {
    if (op.inputs[slot] == kNoValue) continue;
    const Value& scale = program.values[static_cast<size_t>(op.inputs[slot])];
    for (size_t m = 0; m < channels; ++m) {
      const auto s = element<float>(scale, m);
      if (!std::isfinite(s) || std::abs(s) > kQuantScaleLimit) {
        return bad(where + ": the " + kNames[slot - 1] + " of channel " + std::to_string(m) + " is " +
                   std::to_string(s) + "; a finite number up to " + std::to_string(int(kQuantScaleLimit)) +
                   " is needed");
      }
    }
  }
  return {};
}

}  // namespace coco::format
