//! Cross-entropy of the softmax, in nats.
//!
//! Late in training a cross-entropy of 1e-7 still steers the weights, but in 32 bits `1 − p` and `log Σ exp` round to nothing
//! ("softmax collapse", Prieto et al. 2501.04697). So against a label the loss is written in margins d_j = z_j − z_y, where
//! nothing cancels: L = m + log1p(Σ_{j≠y} e^{d_j − m} + e^{−m} − 1) with m = max_j d_j ≥ 0. Soft targets t keep the loss away
//! from zero, and there the plain form does: L = log Σ e^{z} − Σ t·z, gradient p − t.

use super::{Answer, LossKind, Soft, one_hot_codes};
#[cfg(feature = "compute")]
use super::{Loss, is_largest};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::{Tensor, activation};

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "cross_entropy",
        label: "Cross-entropy (nats)",
        help: "−log of the softmax probability of the label, in margins so that nothing rounds away",
        fields: &[],
    },
    answer: Answer::Class,
    soft: Soft::Probabilities,
    outputs: |_, classes| classes,
    codes: one_hot_codes,
    #[cfg(feature = "compute")]
    build: |_, _, _| Box::new(CrossEntropy),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct CrossEntropy;

#[cfg(feature = "compute")]
impl Loss for CrossEntropy {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        Margins::new(outputs, targets).loss()
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let margins = Margins::new(outputs, targets.clone());
        let loss = margins.loss();
        let others = margins.others / margins.total;
        let label = others.clone().sum_dim(2) * targets;
        (loss, (others - label).div_scalar(rows as f32))
    }

    fn slope_soft(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let shifted = outputs.clone() - outputs.max_dim(2);
        let powers = shifted.clone().exp();
        let total = powers.clone().sum_dim(2);
        let loss = total.clone().log() - (shifted * targets.clone()).sum_dim(2);
        (loss, (powers / total - targets).div_scalar(rows as f32))
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        is_largest(outputs, targets)
    }

    fn as_targets(&self, outputs: Tensor<3>) -> Tensor<3> {
        activation::softmax(outputs, 2)
    }
}

#[cfg(feature = "compute")]
struct Margins {
    /// m: `[replica, row, 1]`.
    highest: Tensor<3>,
    /// e^{d_j − m}, 0 at the label: `[replica, row, class]`.
    others: Tensor<3>,
    /// Their sum plus e^{−m} − 1: `[replica, row, 1]`.
    excess: Tensor<3>,
    /// Σ_j e^{d_j − m}: `[replica, row, 1]`.
    total: Tensor<3>,
}

#[cfg(feature = "compute")]
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
