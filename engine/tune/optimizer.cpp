#include "tune/optimizer.h"

namespace coco::tune {

Optimizer::Optimizer(std::vector<NamedTensor> parameters, OptimizerOptions options) : options_(options) {
  for (NamedTensor& p : parameters) {
    Slot slot;
    slot.parameter = p.tensor;
    slot.rows = p.tensor.size(0);
    slot.columns = p.tensor.numel() / slot.rows;
    const torch::TensorOptions like = p.tensor.options().requires_grad(false);
    slot.momentum = torch::zeros({slot.rows, slot.columns}, like);
    slot.second = torch::zeros({slot.rows, slot.columns}, like);
    if (options_.kind != OptimizerKind::kAdam) {
      slot.left = torch::zeros({slot.rows, slot.rows}, like);
      slot.right = torch::zeros({slot.columns, slot.columns}, like);
      slot.left_basis = torch::eye(slot.rows, like);
      slot.right_basis = torch::eye(slot.columns, like);
    }
    names_.push_back(std::move(p.name));
    slots_.push_back(std::move(slot));
  }
}

torch::Tensor Optimizer::rotate(const Slot& slot, const torch::Tensor& matrix) const {
  if (options_.kind == OptimizerKind::kAdam) return matrix;
  return slot.left_basis.t().mm(matrix).mm(slot.right_basis);
}

torch::Tensor Optimizer::rotate_back(const Slot& slot, const torch::Tensor& matrix) const {
  if (options_.kind == OptimizerKind::kAdam) return matrix;
  return slot.left_basis.mm(matrix).mm(slot.right_basis.t());
}

// left <- b left + (1 - b) G G^T, right <- b right + (1 - b) G^T G
void Optimizer::update_factors(Slot& slot, const torch::Tensor& gradient) {
  slot.left.lerp_(gradient.mm(gradient.t()), 1.0 - options_.beta_factors);
  slot.right.lerp_(gradient.t().mm(gradient), 1.0 - options_.beta_factors);
}

// First the eigenvectors; later one step of orthogonal iteration, Q <- QR(factor Q), columns in order of falling
// eigenvalue, and the second moments move with their columns.
void Optimizer::refresh_basis(Slot& slot) {
  const bool first = steps_ == options_.refresh;
  const auto refresh = [&slot, first](const torch::Tensor& factor, torch::Tensor& basis, int64_t dimension) {
    if (basis.size(0) == 1) return;
    if (first) {
      basis = std::get<1>(torch::linalg_eigh(factor)).flip(1).contiguous();
      return;
    }
    const torch::Tensor product = factor.mm(basis);
    const torch::Tensor order = (basis * product).sum(0).argsort(-1, true);
    // LAPACK's matrices lie column by column; one that was read from a checkpoint does not, and products of the two are
    // rounded differently.
    basis = std::get<0>(torch::linalg_qr(product.index_select(1, order), "reduced")).contiguous();
    slot.second = slot.second.index_select(dimension, order);
  };
  refresh(slot.left, slot.left_basis, 0);
  refresh(slot.right, slot.right_basis, 1);
}

void Optimizer::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  // The bases start from the first gradients' factors; those gradients move no weight.
  const bool warm = options_.kind == OptimizerKind::kAdam || steps_ > options_.refresh;
  const double t = static_cast<double>(steps_ - (options_.kind == OptimizerKind::kAdam ? 0 : options_.refresh));
  const double correction =
      warm ? std::sqrt(1.0 - std::pow(options_.beta2, t)) / (1.0 - std::pow(options_.beta1, t)) : 0;
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    const torch::Tensor gradient = slot.parameter.grad().view({slot.rows, slot.columns});
    if (options_.kind != OptimizerKind::kAdam) update_factors(slot, gradient);
    if (warm) {
      const torch::Tensor rotated = rotate(slot, gradient);
      slot.momentum.lerp_(gradient, 1.0 - options_.beta1);
      slot.second.mul_(options_.beta2).addcmul_(rotated, rotated, 1.0 - options_.beta2);
      const torch::Tensor direction = rotate(slot, slot.momentum) / (slot.second.sqrt() + options_.epsilon);
      slot.parameter.sub_(rotate_back(slot, direction).view_as(slot.parameter), learning_rate * correction);
    }
    if (options_.kind != OptimizerKind::kAdam && steps_ % options_.refresh == 0) refresh_basis(slot);
    slot.parameter.mutable_grad().reset();
  }
}

std::vector<NamedTensor> Optimizer::state() const {
  std::vector<NamedTensor> all;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& s = slots_[i];
    all.push_back({names_[i] + ".momentum", s.momentum});
    all.push_back({names_[i] + ".second", s.second});
    if (options_.kind == OptimizerKind::kAdam) continue;
    all.push_back({names_[i] + ".left", s.left});
    all.push_back({names_[i] + ".right", s.right});
    all.push_back({names_[i] + ".left_basis", s.left_basis});
    all.push_back({names_[i] + ".right_basis", s.right_basis});
  }
  return all;
}

}  // namespace coco::tune
