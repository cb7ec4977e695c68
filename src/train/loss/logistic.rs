//! Logistic loss of two classes with one output f: L = log(1 + e^{−y·f}), y = +1 for class 0 and −1 for class 1.
//!
//! It is the cross-entropy of two logits ±f/2, with half the parameters in the last layer; theories of max-margin directions are
//! written in it. e^{−|f|} is the only exponential, so neither large margins overflow nor small losses round to zero. A target
//! between −1 and +1 is the expectation over a class with that mean: q = (1 + y)/2 is the share of class 0.

use super::{Answer, LossKind, Soft, sign_codes};
#[cfg(feature = "compute")]
use super::{Loss, has_sign};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "logistic",
        label: "Logistic, one output (nats)",
        help: "log(1 + e^(−y·f)) for two classes, y = +1 for class 0 and −1 for class 1",
        fields: &[],
    },
    answer: Answer::BinaryClass,
    soft: Soft::Mixture,
    outputs: |_, _| 1,
    codes: sign_codes,
    #[cfg(feature = "compute")]
    build: |_, _, _| Box::new(Logistic),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Logistic;

#[cfg(feature = "compute")]
impl Loss for Logistic {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        self.slope(outputs, targets, 1).0
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let small = outputs.clone().abs().neg().exp();
        let tail = small.clone().log1p();
        // log(1 + e^{−f}) and log(1 + e^{f}).
        let of_plus = outputs.clone().neg().clamp_min(0.0) + tail.clone();
        let of_minus = outputs.clone().clamp_min(0.0) + tail;
        // 1/(1 + e^{−f}) and 1/(1 + e^{f}), each from e^{−|f|} so that the small one keeps its digits.
        let is_plus = outputs.greater_equal_elem(0.0).float();
        let total = small.clone().add_scalar(1.0);
        let switch = |high: Tensor<3>| (high.clone() + small.clone() * high.neg().add_scalar(1.0)) / total.clone();
        let plus = switch(is_plus.clone());
        let minus = switch(is_plus.neg().add_scalar(1.0));
        let q = targets.add_scalar(1.0).mul_scalar(0.5);
        let rest = q.clone().neg().add_scalar(1.0);
        let loss = q.clone() * of_plus + rest.clone() * of_minus;
        (loss, (rest * plus - q * minus).div_scalar(rows as f32))
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        has_sign(outputs, targets)
    }

    fn as_targets(&self, outputs: Tensor<3>) -> Tensor<3> {
        outputs.mul_scalar(0.5).tanh()
    }
}
