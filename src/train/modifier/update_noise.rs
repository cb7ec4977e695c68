//! Gaussian noise on the step: w ← w + η·σ·ξ (Power et al. 2022, 2201.02177).
//!
//! The noise joins the direction before the learning rate (the tensor's own, where tensors have some) is applied, as in the
//! authors' code, so σ is measured against Adam's direction, whose numbers are of order one. Theirs also carries Adam's first
//! bias correction, which would make it larger in the first updates for no reason of its own.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::draws::normals,
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    crate::experiment::randomness::Purpose,
    crate::train::optimizer::PerReplica,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.update_noise",
        "Update noise",
        "Deviation of the noise on every step, in units of the learning rate; 0 is off",
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
    let deviation = experiment.training.number("update_noise");
    (deviation > 0.0).then(|| Box::new(UpdateNoise { deviation }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct UpdateNoise {
    deviation: f64,
}

#[cfg(feature = "compute")]
impl Modifier for UpdateNoise {
    fn after(&mut self, moment: &Moment<'_>, _before: &[Tensor<3>], after: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let rates = PerReplica::new(moment.rates, moment.device);
        let noisy = |(index, tensor): (usize, Tensor<3>)| {
            let deviation = self.deviation * moment.specs.get(index).map_or(1.0, |spec| spec.rate);
            match normals(moment, Purpose::UpdateNoise, index, deviation) {
                Some(noise) => tensor + rates.scale(noise),
                None => tensor,
            }
        };
        after.into_iter().enumerate().map(noisy).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, replica};
    use super::*;
    use crate::experiment::randomness::Stream;

    #[test]
    fn the_noise_of_each_replica_is_in_units_of_its_learning_rate() {
        let mut case = Case::small();
        case.specs[1].rate = 0.5;
        let mut part = build(&PART, &[("training.update_noise", "2")]);
        let after = part.after(&case.moment(4), &case.start, case.weights.clone());
        let expected = |r: usize| {
            let weights = replica(&case.weights, r).into_iter().enumerate();
            weights
                .map(|(index, w)| {
                    let mut stream = Stream::new(case.seeds[r], Purpose::UpdateNoise, (4 << 32) | index as u64);
                    w.into_iter().map(|w| w + [0.1, 0.02][r] * [1.0, 0.5][index] * 2.0 * stream.normal()).collect()
                })
                .collect()
        };
        assert_close(&after, expected, 1e-6);
    }
}
