//! Cross-entropy of StableMax (Prieto et al., 2501.04697): p_j = s(z_j)/Σs with s(x) = x + 1 for x ≥ 0 and 1/(1 − x) below.
//!
//! s grows like x instead of e^x, so the loss keeps a slope where softmax in 32 bits has none left. With one label both loss and
//! slope are written in Σ_{j≠y} s_j, since Σs/s_y − 1 would cancel: L = log1p(Σ_{j≠y} s_j / s_y).
//! Gradient: s′_j/Σs for j ≠ y and −(s′_y/s_y)·Σ_{j≠y} s_j/Σs, where s′/s = 1/(1 + |x|) on both sides.

use super::{Answer, LossKind, Soft, one_hot_codes};
#[cfg(feature = "compute")]
use super::{Loss, is_largest};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "stable_max",
        label: "StableMax cross-entropy (nats)",
        help: "−log(s(z_y)/Σs(z)) with s(x) = x + 1 for x ≥ 0, else 1/(1 − x) (Prieto et al., 2501.04697)",
        fields: &[],
    },
    answer: Answer::Class,
    soft: Soft::Probabilities,
    outputs: |_, classes| classes,
    codes: one_hot_codes,
    #[cfg(feature = "compute")]
    build: |_, _, _| Box::new(StableMax),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct StableMax;

/// s and what its derivative needs, elementwise, `[replica, row, class]`.
#[cfg(feature = "compute")]
struct Scores {
    /// 1 where x ≥ 0, else 0.
    is_plus: Tensor<3>,
    /// 1 + |x|.
    size: Tensor<3>,
    /// s(x).
    value: Tensor<3>,
}

#[cfg(feature = "compute")]
impl Scores {
    fn new(outputs: Tensor<3>) -> Self {
        let is_plus = outputs.clone().greater_equal_elem(0.0).float();
        let size = outputs.abs().add_scalar(1.0);
        let value = is_plus.clone() * size.clone() + is_plus.clone().neg().add_scalar(1.0) / size.clone();
        Self { is_plus, size, value }
    }
}

#[cfg(feature = "compute")]
impl Loss for StableMax {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        let scores = Scores::new(outputs);
        let label = (scores.value.clone() * targets.clone()).sum_dim(2);
        let others = (scores.value * targets.neg().add_scalar(1.0)).sum_dim(2);
        (others / label).log1p()
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let scores = Scores::new(outputs);
        let label = (scores.value.clone() * targets.clone()).sum_dim(2);
        let is_other = targets.clone().neg().add_scalar(1.0);
        let other_values = scores.value.clone() * is_other.clone();
        let others = other_values.clone().sum_dim(2);
        let total = others.clone() + label.clone();
        let loss = (others.clone() / label).log1p();
        // s′_j/Σs = (s_j/Σs)/(1 + |x|), and 0 at the label; there −(Σ_{j≠y} s_j/Σs)/(1 + |x|).
        let gradient = (other_values - others * targets) / total / scores.size;
        (loss, gradient.div_scalar(rows as f32))
    }

    fn slope_soft(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let scores = Scores::new(outputs);
        let total = scores.value.clone().sum_dim(2);
        // log s = ±log(1 + |x|).
        let logs = scores.size.clone().log() * scores.is_plus.mul_scalar(2.0).sub_scalar(1.0);
        let loss = total.clone().log() - (logs * targets.clone()).sum_dim(2);
        let gradient = (scores.value / total - targets) / scores.size;
        (loss, gradient.div_scalar(rows as f32))
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        is_largest(outputs, targets)
    }

    fn as_targets(&self, outputs: Tensor<3>) -> Tensor<3> {
        let scores = Scores::new(outputs).value;
        let total = scores.clone().sum_dim(2);
        scores / total
    }
}
