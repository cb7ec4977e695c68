//! Sharpness-aware minimisation (Foret et al. 2021, 2010.01412): the gradient is taken at w + ρ·g/‖g‖ and applied at w.
//!
//! ‖g‖ runs over all tensors of a replica, as in the paper; a norm per tensor would be another method. Every update costs two
//! gradients on the same batch.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::norms::{nonzero, norm},
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.sam_radius",
        "SAM radius",
        "Distance uphill at which the gradient is taken a second time (sharpness-aware minimisation); 0 is off",
        closed(0.0, 100.0),
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build,
};

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let radius = experiment.training.number("sam_radius");
    (radius > 0.0).then(|| Box::new(Sam { radius }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Sam {
    radius: f64,
}

#[cfg(feature = "compute")]
impl Modifier for Sam {
    fn again(&mut self, _moment: &Moment<'_>, parameters: &[Tensor<3>], gradients: &[Tensor<3>]) -> Option<Vec<Tensor<3>>> {
        // Where the gradient is zero there is no uphill, and the weights stay.
        let length = nonzero(norm(gradients)?);
        // Divided first: ρ/‖g‖ may overflow, g/‖g‖ cannot.
        let uphill = |(w, g): (&Tensor<3>, &Tensor<3>)| w.clone() + (g.clone() / length.clone()).mul_scalar(self.radius);
        Some(parameters.iter().zip(gradients).map(uphill).collect())
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, length, replica, values, zip};
    use super::*;

    #[test]
    fn the_second_gradient_is_taken_the_radius_uphill_in_each_replica() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.sam_radius", "0.05")]);
        let there = part.again(&case.moment(1), &case.weights, &case.gradients).unwrap();
        let expected = |r: usize| {
            let (w, g) = (replica(&case.weights, r), replica(&case.gradients, r));
            let norm = length(&g);
            zip(&w, &g, |w, g| w + 0.05 * g / norm)
        };
        assert_close(&there, expected, 1e-6);
    }

    #[test]
    fn a_zero_gradient_moves_nothing_and_a_tiny_one_the_whole_radius() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.sam_radius", "0.5")]);
        let zeros: Vec<_> = case.gradients.iter().map(Tensor::zeros_like).collect();
        let there = part.again(&case.moment(1), &case.weights, &zeros).unwrap();
        assert_eq!(values(&there[0]), values(&case.weights[0]));
        let tiny: Vec<_> = case.gradients.iter().map(|g| g.clone().mul_scalar(1e-30)).collect();
        let there = part.again(&case.moment(1), &case.weights, &tiny).unwrap();
        let moved = zip(&replica(&there, 1), &replica(&case.weights, 1), |x, y| x - y);
        assert!((length(&moved) - 0.5).abs() < 1e-6);
    }
}
