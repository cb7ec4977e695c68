//! The penalty ½λ₂·‖w‖²: adds λ₂·w to the gradient.
//!
//! Unlike the optimiser's weight decay it is coupled: Adam's moments see it and rescale it, which is what "weight decay" meant in
//! Adam before AdamW (Loshchilov & Hutter 2019, 1711.05101) and what Grokfast's published runs use (2405.20233). The reported
//! loss leaves it out.

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
        "training.l2",
        "L2 penalty",
        "Weight of half the sum of squared weights, added to what is minimised (coupled decay); 0 is off",
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
    let weight = experiment.training.number("l2");
    (weight > 0.0).then(|| Box::new(CoupledL2 { weight }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct CoupledL2 {
    weight: f64,
}

#[cfg(feature = "compute")]
impl Modifier for CoupledL2 {
    fn gradients(&mut self, _moment: &Moment<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        gradients.into_iter().zip(parameters).map(|(g, w)| g + w.clone().mul_scalar(self.weight)).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, replica, zip};
    use super::*;

    #[test]
    fn the_penalty_is_the_derivative_of_half_the_squared_norm() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.l2", "0.7")]);
        let found = part.gradients(&case.moment(1), &case.weights, case.gradients.clone());
        assert_close(&found, |r| zip(&replica(&case.gradients, r), &replica(&case.weights, r), |g, w| g + 0.7 * w), 1e-6);
    }
}
