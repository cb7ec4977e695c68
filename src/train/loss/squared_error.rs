//! Squared error to a real-valued answer, with one output.
//!
//! Kept apart from the error to one-hot, because "right" has no meaning of its own for a number: it is a threshold on the
//! squared error, and the accuracy curve, with any delay read from it, depends on that threshold. So it is a setting.

#[cfg(feature = "compute")]
use super::Loss;
#[cfg(feature = "compute")]
use super::mean_squared_error::{mean_square, mean_square_slope};
use super::{Answer, LossKind, Soft};
use crate::experiment::field::{Field, above};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "squared_error",
        label: "Squared error",
        help: "(f − y)² to a real-valued answer; right where it is at most the accuracy threshold",
        fields: &[Field::new(
            "training.accuracy_threshold",
            "Accuracy threshold",
            "Largest squared error that counts as right, in squared units of the answer",
            above(0.0, 1e6),
        )
        .starts("0.01")
        .live()],
    },
    answer: Answer::Value,
    soft: Soft::Mixture,
    outputs: |_, _| 1,
    codes: |_, _| Vec::new(),
    #[cfg(feature = "compute")]
    build: |experiments, _, _| {
        let threshold = experiments.first().map_or(0.0, |e| e.training.number("accuracy_threshold"));
        Box::new(SquaredError { threshold })
    },
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct SquaredError {
    threshold: f64,
}

#[cfg(feature = "compute")]
impl Loss for SquaredError {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        mean_square(outputs - targets)
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        mean_square_slope(outputs - targets, rows)
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        self.per_row(outputs, targets).lower_equal_elem(self.threshold).float()
    }
}
