//! Hinge losses: nothing more to gain once the margin is 1.
//!
//! Two classes: one output f and y = +1 for class 0, −1 for class 1, L = max(0, 1 − y·f). More classes: L = Σ_{j≠y} max(0, 1 +
//! z_j − z_y) (Weston & Watkins 1999); the variant with the largest term only was not chosen, because its gradient touches two
//! outputs per row and p classes then learn p/2 times slower. At the kink the gradient is 0.

use super::{Answer, LossKind, Soft, one_hot_codes, sign_codes};
#[cfg(feature = "compute")]
use super::{Loss, has_sign, is_largest};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "hinge",
        label: "Hinge",
        help: "max(0, 1 − y·f) with one output and y = ±1 for two classes (class 1 is −1), else the sum over j≠y of max(0, 1 + z_j − z_y)",
        fields: &[],
    },
    answer: Answer::Class,
    soft: Soft::No,
    outputs: |_, classes| if classes == 2 { 1 } else { classes },
    codes: |experiment, classes| if classes == 2 { sign_codes(experiment, classes) } else { one_hot_codes(experiment, classes) },
    #[cfg(feature = "compute")]
    build: |_, classes, _| if classes == 2 { Box::new(BinaryHinge) } else { Box::new(MultiHinge) },
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct BinaryHinge;

#[cfg(feature = "compute")]
impl Loss for BinaryHinge {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        (outputs * targets).neg().add_scalar(1.0).clamp_min(0.0)
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let loss = self.per_row(outputs, targets.clone());
        let active = loss.clone().greater_elem(0.0).float();
        (loss, (active * targets.neg()).div_scalar(rows as f32))
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        has_sign(outputs, targets)
    }
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct MultiHinge;

#[cfg(feature = "compute")]
impl MultiHinge {
    /// max(0, 1 + z_j − z_y), 0 at the label: `[replica, row, class]`.
    fn terms(outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        let label = (outputs.clone() * targets.clone()).sum_dim(2);
        (outputs - label).add_scalar(1.0).clamp_min(0.0) * targets.neg().add_scalar(1.0)
    }
}

#[cfg(feature = "compute")]
impl Loss for MultiHinge {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        Self::terms(outputs, targets).sum_dim(2)
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let terms = Self::terms(outputs, targets.clone());
        let active = terms.clone().greater_elem(0.0).float();
        let label = active.clone().sum_dim(2) * targets;
        (terms.sum_dim(2), (active - label).div_scalar(rows as f32))
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        is_largest(outputs, targets)
    }
}
