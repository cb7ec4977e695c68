//! Squared error to the one-hot code of the label, mean over outputs.
//!
//! The mean over outputs is part of the setting, not of taste: with the sum, published learning rates would be p times too high.
//! Soft targets need nothing of their own, because the loss is a polynomial in them.

use super::{Answer, LossKind, Soft, one_hot_codes};
#[cfg(feature = "compute")]
use super::{Loss, is_largest};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "mean_squared_error",
        label: "Mean squared error to one-hot",
        help: "Mean over outputs of the squared difference to 1 at the label and 0 elsewhere",
        fields: &[],
    },
    answer: Answer::Class,
    soft: Soft::Probabilities,
    outputs: |_, classes| classes,
    codes: one_hot_codes,
    #[cfg(feature = "compute")]
    build: |_, _, _| Box::new(MeanSquaredError),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct MeanSquaredError;

#[cfg(feature = "compute")]
impl Loss for MeanSquaredError {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        mean_square(outputs - targets)
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        mean_square_slope(outputs - targets, rows)
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        is_largest(outputs, targets)
    }
}

/// Mean over outputs of e²: `[replica, row, output]` → `[replica, row, 1]`.
#[cfg(feature = "compute")]
pub(super) fn mean_square(error: Tensor<3>) -> Tensor<3> {
    (error.clone() * error).mean_dim(2)
}

/// The same with its gradient 2e/outputs, divided by `rows`.
#[cfg(feature = "compute")]
pub(super) fn mean_square_slope(error: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
    let outputs = error.dims()[2];
    let loss = (error.clone() * error.clone()).mean_dim(2);
    (loss, error.mul_scalar(2.0 / (rows * outputs) as f32))
}
