//! Gradient clipping by global norm (Pascanu et al. 2013, 1211.5063): a gradient longer than c is shortened to c.
//!
//! The norm runs over all tensors of a replica and each replica is clipped alone, so that a replica in a band does what it would
//! do by itself. It acts on the gradient of the loss, before filters, projection and penalties.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::norms::norm,
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.gradient_clip",
        "Gradient clip",
        "Longest norm of the loss's gradient over all weights; longer ones are shortened to it; 0 is off",
        closed(0.0, 1e6),
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build,
};

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let longest = experiment.training.number("gradient_clip");
    (longest > 0.0).then(|| Box::new(Clip { longest }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Clip {
    longest: f64,
}

#[cfg(feature = "compute")]
impl Modifier for Clip {
    fn gradients(&mut self, _moment: &Moment<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let Some(length) = norm(&gradients) else { return gradients };
        // Exactly 1 for a short gradient, which therefore keeps its bits.
        let is_short = length.clone().lower_equal_scalar(self.longest);
        let factor = length.recip().mul_scalar(self.longest).mask_fill(is_short, 1.0);
        gradients.into_iter().map(|gradient| gradient * factor.clone()).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, length, replica, tensor, values};
    use super::*;

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_keeps_its_bits() {
        let case = Case::small();
        // The second replica's gradient is made short.
        let scale = tensor(&[1.0, 0.01], [2, 1, 1]);
        let gradients: Vec<_> = case.gradients.iter().map(|g| g.clone() * scale.clone()).collect();
        let mut part = build(&PART, &[("training.gradient_clip", "0.5")]);
        let clipped = part.gradients(&case.moment(1), &case.weights, gradients.clone());
        assert!((length(&replica(&clipped, 0)) - 0.5).abs() < 1e-6);
        let expected = |r: usize| {
            let own = replica(&gradients, r);
            let factor = f64::min(1.0, 0.5 / length(&own));
            own.into_iter().map(|list| list.into_iter().map(|g| g * factor).collect()).collect()
        };
        assert_close(&clipped, expected, 1e-6);
        for (before, after) in gradients.iter().zip(&clipped) {
            let half = values(before).len() / 2;
            assert_eq!(values(before)[half..], values(after)[half..]);
        }
    }

    #[test]
    fn a_zero_gradient_stays_zero() {
        let case = Case::small();
        let zeros: Vec<_> = case.gradients.iter().map(Tensor::zeros_like).collect();
        let clipped = build(&PART, &[("training.gradient_clip", "1")]).gradients(&case.moment(1), &case.weights, zeros);
        assert!(values(&clipped[0]).iter().all(|g| g.abs() < f32::MIN_POSITIVE));
    }
}
