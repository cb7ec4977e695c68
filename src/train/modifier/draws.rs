//! Gaussian numbers shaped like the parameters.
//!
//! A device's generator gives other numbers on another device and keeps a state that a resume point would have to hold. So noise
//! is drawn on the CPU from a stream of its own per (seed, update, tensor): adding a tensor never changes another's noise, and a
//! replica draws what it would draw alone. It costs about 40 ns a number, more than the update of a small network.

use super::Moment;
use crate::experiment::randomness::{Purpose, Stream};
use burn::tensor::{Tensor, TensorData};

/// Normal numbers of standard deviation `std` for the parameter `index`: `[replica, rows, columns]`.
pub(in crate::train) fn normals(moment: &Moment<'_>, purpose: Purpose, index: usize, std: f64) -> Option<Tensor<3>> {
    let spec = moment.specs.get(index)?;
    let stream = (u64::from(moment.t) << 32) | index as u64;
    let mut values = Vec::with_capacity(moment.seeds.len() * spec.rows * spec.columns);
    for seed in moment.seeds {
        values.extend(Stream::new(*seed, purpose, stream).normals(spec.rows * spec.columns, std));
    }
    Some(Tensor::from_data(TensorData::new(values, [moment.seeds.len(), spec.rows, spec.columns]), moment.device))
}

/// `tensors` with noise of standard deviation `std` on every number.
pub(super) fn with_noise(moment: &Moment<'_>, purpose: Purpose, std: f64, tensors: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
    let noisy = |(index, tensor): (usize, Tensor<3>)| match normals(moment, purpose, index, std) {
        Some(noise) => tensor + noise,
        None => tensor,
    };
    tensors.into_iter().enumerate().map(noisy).collect()
}

#[cfg(test)]
mod tests {
    use super::super::support::{Case, values};
    use super::*;

    #[test]
    fn noise_is_a_function_of_seed_and_update_with_the_variance_asked_for() {
        let case = Case::sized(&[(60, 50), (1, 7)]);
        let draw = |t: u32| values(&normals(&case.moment(t), Purpose::WeightNoise, 0, 0.3).unwrap());
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        let all = draw(5);
        assert_ne!(all[..3000], all[3000..], "replicas have seeds of their own");
        let mean = all.iter().map(|x| f64::from(*x)).sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / all.len() as f64;
        // Five standard errors of 6,000 normal numbers.
        assert!(mean.abs() < 5.0 * 0.3 / libm::sqrt(6000.0), "{mean}");
        assert!((variance / 0.09 - 1.0).abs() < 5.0 * libm::sqrt(2.0 / 6000.0), "{variance}");
    }

    #[test]
    fn a_replica_draws_what_it_would_draw_alone() {
        let case = Case::sized(&[(3, 4)]);
        let mut moment = case.moment(9);
        let together = values(&normals(&moment, Purpose::GradientNoise, 0, 1.0).unwrap());
        moment.seeds = &case.seeds[1..];
        assert_eq!(values(&normals(&moment, Purpose::GradientNoise, 0, 1.0).unwrap()), together[12..]);
    }
}
