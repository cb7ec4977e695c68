//! Gaussian noise on the weights at which the gradient is taken, and nowhere else (Power et al. 2022, 2201.02177).
//!
//! It favours flat minima like a cheap relative of sharpness-aware minimisation. The noise is absolute and falls on every tensor,
//! biases included, as in the authors' code; the weights that are kept never carry it.

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
        "training.weight_noise",
        "Weight noise",
        "Deviation of the noise on the weights at which each gradient is taken; 0 is off",
        closed(0.0, 10.0),
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build,
};

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let deviation = experiment.training.number("weight_noise");
    (deviation > 0.0).then(|| Box::new(WeightNoise { deviation }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct WeightNoise {
    deviation: f64,
}

#[cfg(feature = "compute")]
impl Modifier for WeightNoise {
    fn before(&mut self, moment: &Moment<'_>, parameters: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        with_noise(moment, Purpose::WeightNoise, self.deviation, parameters)
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, replica, with};
    use super::*;
    use crate::experiment::randomness::Stream;

    #[test]
    fn each_tensor_gets_the_noise_of_its_own_stream() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.weight_noise", "0.2")]);
        let noisy = part.before(&case.moment(7), case.weights.clone());
        let expected = |r: usize| {
            let weights = replica(&case.weights, r).into_iter().enumerate();
            weights
                .map(|(index, w)| {
                    let mut stream = Stream::new(case.seeds[r], Purpose::WeightNoise, (7 << 32) | index as u64);
                    w.into_iter().map(|w| w + 0.2 * stream.normal()).collect()
                })
                .collect()
        };
        assert_close(&noisy, expected, 1e-6);
    }

    #[test]
    fn it_is_off_at_zero() {
        assert!((PART.build)(&with(&[("training.weight_noise", "0")])).is_none());
    }
}
