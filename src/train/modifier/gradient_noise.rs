//! Gaussian noise on the gradient that the optimiser sees: g' = g + σ·ξ.
//!
//! With plain gradient descent this is Langevin dynamics at temperature ησ²/2 (Welling & Teh 2011), the heat bath of the
//! statistical-physics accounts of grokking. It is added after all filters and penalties, so that nothing smooths it; under Adam
//! the moments see it and rescale it.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::draws::with_noise,
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    crate::experiment::randomness::Purpose,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.gradient_noise",
        "Gradient noise",
        "Deviation of the noise on every gradient (Langevin); 0 is off",
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
    let deviation = experiment.training.number("gradient_noise");
    (deviation > 0.0).then(|| Box::new(GradientNoise { deviation }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct GradientNoise {
    deviation: f64,
}

#[cfg(feature = "compute")]
impl Modifier for GradientNoise {
    fn gradients(&mut self, moment: &Moment<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        with_noise(moment, Purpose::GradientNoise, self.deviation, gradients)
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, replica};
    use super::*;
    use crate::experiment::randomness::Stream;

    #[test]
    fn the_gradient_gets_noise_of_the_deviation_asked_for() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.gradient_noise", "3")]);
        let noisy = part.gradients(&case.moment(2), &case.weights, case.gradients.clone());
        let expected = |r: usize| {
            let gradients = replica(&case.gradients, r).into_iter().enumerate();
            gradients
                .map(|(index, g)| {
                    let mut stream = Stream::new(case.seeds[r], Purpose::GradientNoise, (2 << 32) | index as u64);
                    g.into_iter().map(|g| g + 3.0 * stream.normal()).collect()
                })
                .collect()
        };
        assert_close(&noisy, expected, 1e-6);
    }
}
