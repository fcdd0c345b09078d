// Recurrent layers: one unit of work is one sequence of the batch in one direction.
#include <algorithm>
#include <cmath>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

float sigmoid(float x) noexcept { return 1.0f / (1.0f + std::exp(-x)); }

float inner_product(const float* a, const float* b, int64_t count) noexcept {
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// One direction of one sequence: its weights, its part of every tensor, and the order of its steps.
struct Sequence {
  std::span<const TensorView> in;
  std::span<const MutableTensorView> out;
  int64_t gates, hidden, inputs, batch, directions, steps, length;
  int64_t direction, n;
  bool reverse;

  Sequence(std::span<const TensorView> inputs_of, std::span<const MutableTensorView> outputs, int64_t gate_count,
           int64_t units, format::Direction kind, int64_t unit) noexcept
      : in(inputs_of), out(outputs), gates(gate_count), hidden(units) {
    const Shape &x = in[0].shape, &y = out[0].shape;
    steps = x[0], batch = x[1], inputs = x[2], directions = y[1];
    direction = unit / batch, n = unit % batch;
    length = has(4) ? std::clamp<int64_t>(in[4].as<int32_t>()[n], 0, steps) : steps;
    reverse = kind == format::Direction::kReverse || direction == 1;
  }
  bool has(size_t slot) const noexcept { return in.size() > slot && in[slot].data != nullptr; }
  // The place in time of step i.
  int64_t time(int64_t i) const noexcept { return reverse ? length - 1 - i : i; }
  const float* x(int64_t t) const noexcept { return in[0].as<float>() + (t * batch + n) * inputs; }
  float* y(int64_t t) const noexcept {
    return out[0].as<float>() + ((t * directions + direction) * batch + n) * hidden;
  }
  // Element u of a state [D, N, H].
  int64_t state(int64_t u = 0) const noexcept { return (direction * batch + n) * hidden + u; }
  int64_t row(int64_t gate, int64_t u) const noexcept { return direction * gates * hidden + gate * hidden + u; }
  float input_sum(int64_t gate, int64_t u, int64_t t) const noexcept {
    return inner_product(in[1].as<float>() + row(gate, u) * inputs, x(t), inputs) + bias(gate, u);
  }
  // h is null for a state of zeros.
  float state_sum(int64_t gate, int64_t u, const float* h) const noexcept {
    const float sum = h != nullptr ? inner_product(in[2].as<float>() + row(gate, u) * hidden, h, hidden) : 0;
    return sum + bias(gates + gate, u);
  }
  float bias(int64_t gate, int64_t u) const noexcept {
    return has(3) ? in[3].as<float>()[direction * 2 * gates * hidden + gate * hidden + u] : 0;
  }
  // The state before the first step, null where there is none.
  const float* initial(size_t slot) const noexcept { return has(slot) ? in[slot].as<float>() + state() : nullptr; }
  void put_state(size_t slot, const float* values) const noexcept {
    float* to = out[slot].as<float>() + state();
    for (int64_t u = 0; u < hidden; ++u) to[u] = values != nullptr ? values[u] : 0;
  }
  // What lies behind the sequence's end is 0.
  void clear_rest() const noexcept {
    for (int64_t t = length; t < steps; ++t) std::fill_n(y(t), hidden, 0.0f);
  }
};

}  // namespace

// i, o, f = sigmoid(W x + R h + b (+ peephole c)), c' = f c + i tanh(Wc x + Rc h + bc), h' = o tanh(c')
void lstm_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
              int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::LstmParams>(params);
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Sequence s(in, out, 4, p.hidden, p.direction, unit);
    s.put_state(2, s.initial(6));
    float* c = out[2].as<float>() + s.state();
    const float* h = s.initial(5);
    const auto peephole = [&](int64_t gate, int64_t u) {
      return s.has(7) ? in[7].as<float>()[s.direction * 3 * p.hidden + gate * p.hidden + u] : 0;
    };
    for (int64_t i = 0; i < s.length; ++i) {
      const int64_t t = s.time(i);
      for (int64_t u = 0; u < p.hidden; ++u) {
        const auto sum = [&](int64_t gate) { return s.input_sum(gate, u, t) + s.state_sum(gate, u, h); };
        const float input = sigmoid(sum(0) + peephole(0, u) * c[u]);
        const float forget = p.input_forget ? 1 - input : sigmoid(sum(2) + peephole(2, u) * c[u]);
        c[u] = forget * c[u] + input * std::tanh(sum(3));
        s.y(t)[u] = sigmoid(sum(1) + peephole(1, u) * c[u]) * std::tanh(c[u]);
      }
      h = s.y(t);
    }
    s.put_state(1, h);
    s.clear_rest();
  }
}

// z, r = sigmoid(W x + R h + b), n = tanh(Wn x + bn + Rn (r h) + bm), or tanh(Wn x + bn + r (Rn h + bm)) where
// reset_after; h' = (1 - z) n + z h. The last state's memory holds r h while a step is made.
void gru_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
             int64_t unit_begin, int64_t unit_end) noexcept {
  const auto& p = std::get<format::GruParams>(params);
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Sequence s(in, out, 3, p.hidden, p.direction, unit);
    float* scratch = out[1].as<float>() + s.state();
    const float* h = s.initial(5);
    for (int64_t i = 0; i < s.length; ++i) {
      const int64_t t = s.time(i);
      const auto old = [&](int64_t u) { return h != nullptr ? h[u] : 0; };
      const auto gate = [&](int64_t g, int64_t u) { return sigmoid(s.input_sum(g, u, t) + s.state_sum(g, u, h)); };
      for (int64_t u = 0; u < p.hidden; ++u) scratch[u] = gate(1, u) * (p.reset_after ? s.state_sum(2, u, h) : old(u));
      for (int64_t u = 0; u < p.hidden; ++u) {
        const float candidate =
            std::tanh(s.input_sum(2, u, t) + (p.reset_after ? scratch[u] : s.state_sum(2, u, scratch)));
        const float update = gate(0, u);
        s.y(t)[u] = (1 - update) * candidate + update * old(u);
      }
      h = s.y(t);
    }
    s.put_state(1, h);
    s.clear_rest();
  }
}

}  // namespace coco::kernels
