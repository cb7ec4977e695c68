//! Losses with their gradients in closed form.
//!
//! Late in training a cross-entropy of 1e-7 still steers the weights, but in 32 bits `1 − p` and `log Σ exp` round to nothing
//! ("softmax collapse", Prieto et al. 2501.04697). So the loss is written in margins d_j = z_j − z_y, where nothing cancels:
//! L = m + log1p(Σ_{j≠y} e^{d_j − m} + e^{−m} − 1) with m = max_j d_j ≥ 0. Handing the closed-form gradient to autodiff at the
//! logits, instead of letting it differentiate these lines, saves a third of the elementwise work.

use crate::experiment::LossKind;
use burn::tensor::Tensor;

/// Loss of each row.
///
/// # Shapes
/// - logits: `[replica, row, p]`, targets: one-hot, the same
/// - output: `[replica, row, 1]`, nats (cross-entropy) or the mean over outputs of the squared error
pub fn per_row(kind: LossKind, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    match kind {
        LossKind::CrossEntropy => Margins::new(logits, targets).loss(),
        LossKind::MeanSquaredError => {
            let error = logits - targets;
            (error.clone() * error).mean_dim(2)
        }
    }
}

/// Loss of each row and the gradient with respect to the logits of each replica's mean over rows.
///
/// # Shapes
/// `[replica, row, 1]` and `[replica, row, p]`.
pub fn slope(kind: LossKind, logits: Tensor<3>, targets: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let [_, rows, outputs] = logits.dims();
    match kind {
        LossKind::CrossEntropy => {
            let margins = Margins::new(logits, targets.clone());
            let loss = margins.loss();
            let others = margins.others / margins.total;
            let label = others.clone().sum_dim(2) * targets;
            (loss, (others - label).div_scalar(rows as f32))
        }
        LossKind::MeanSquaredError => {
            let error = logits - targets;
            let loss = (error.clone() * error.clone()).mean_dim(2);
            (loss, error.mul_scalar(2.0 / (rows * outputs) as f32))
        }
    }
}

/// 1 where the label's logit is strictly the largest, else 0: `[replica, row, 1]`.
pub fn correct(logits: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    let label = (logits.clone() * targets.clone()).sum_dim(2);
    // The label itself is moved out of the competition.
    let best_other = (logits - targets.mul_scalar(f32::MAX / 4.0)).max_dim(2);
    label.greater(best_other).float()
}

struct Margins {
    /// m: `[replica, row, 1]`.
    highest: Tensor<3>,
    /// e^{d_j − m}, 0 at the label: `[replica, row, p]`.
    others: Tensor<3>,
    /// Their sum plus e^{−m} − 1: `[replica, row, 1]`.
    excess: Tensor<3>,
    /// Σ_j e^{d_j − m}: `[replica, row, 1]`.
    total: Tensor<3>,
}

impl Margins {
    fn new(logits: Tensor<3>, targets: Tensor<3>) -> Self {
        let label = (logits.clone() * targets.clone()).sum_dim(2);
        let margins = logits - label;
        // The label's own margin is exactly 0, so the maximum is never below it.
        let highest = margins.clone().max_dim(2);
        let others = (margins - highest.clone()).exp() * (targets.neg().add_scalar(1.0));
        let excess = others.clone().sum_dim(2) + highest.clone().neg().exp().sub_scalar(1.0);
        let total = excess.clone().add_scalar(1.0);
        Self { highest, others, excess, total }
    }

    fn loss(&self) -> Tensor<3> {
        self.highest.clone() + self.excess.clone().log1p()
    }
}
