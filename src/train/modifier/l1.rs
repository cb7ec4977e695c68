//! The penalty λ₁·Σ|w|: adds λ₁·sign(w) to the gradient.
//!
//! It is coupled, that is, seen by the optimiser's moments, as a term of the loss would be. Weights at exactly 0 get nothing. The
//! reported loss leaves the penalty out, so that curves with and without it can be compared.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.l1",
        "L1 penalty",
        "Weight of the sum of absolute weights, added to what is minimised; 0 is off",
        closed(0.0, 1000.0),
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build,
};

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let weight = experiment.training.number("l1");
    (weight > 0.0).then(|| Box::new(L1 { weight }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct L1 {
    weight: f64,
}

#[cfg(feature = "compute")]
impl Modifier for L1 {
    fn gradients(&mut self, _moment: &Moment<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        gradients.into_iter().zip(parameters).map(|(g, w)| g + w.clone().sign().mul_scalar(self.weight)).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, replica, tensor, zip};
    use super::*;

    #[test]
    fn the_penalty_is_the_derivative_of_the_absolute_sum() {
        let mut case = Case::small();
        // A zero weight among the others.
        case.weights[1] = tensor(&[0.0, 1.0, -2.0, 0.0, 5.0, -1.0, 0.0, 3.0, 4.0, -0.5], [2, 1, 5]);
        let mut part = build(&PART, &[("training.l1", "0.3")]);
        let found = part.gradients(&case.moment(1), &case.weights, case.gradients.clone());
        let expected = |r: usize| {
            let sign = |w: f64| {
                if w > 0.0 {
                    1.0
                } else if w < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            };
            zip(&replica(&case.gradients, r), &replica(&case.weights, r), |g, w| g + 0.3 * sign(w))
        };
        assert_close(&found, expected, 1e-6);
    }
}
