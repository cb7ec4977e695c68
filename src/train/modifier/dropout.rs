//! Dropout on the last hidden layer (Srivastava et al. 2014): each unit is silent for an update with probability d, and the
//! others are multiplied by 1/(1 − d), so that evaluations, which never drop, see the same mean.
//!
//! The mask belongs to the forward pass, which the network makes, so this part has a setting and a mask but nothing that acts on
//! weights or gradients. It is a function of (seed, update), as all noise is.

use super::Part;
use crate::experiment::field::{Field, FieldKind};
#[cfg(feature = "compute")]
use {
    crate::experiment::Experiment,
    crate::experiment::randomness::{Purpose, Stream},
    burn::tensor::{Device, Tensor, TensorData},
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.dropout",
        "Dropout",
        "Share of the last hidden layer's units that are silent in each update; 0 is off",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: false, max_exclusive: true },
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build: |_| None,
};

/// The mask of update `t` (from 1), `[replica, row, width]`, each number 0 or 1/(1 − d); `None` while dropout is off.
#[cfg(feature = "compute")]
pub fn mask(experiment: &Experiment, t: u32, seeds: &[u64], rows: usize, width: usize, device: &Device) -> Option<Tensor<3>> {
    let silent = experiment.training.number("dropout");
    if silent <= 0.0 || width == 0 {
        return None;
    }
    let kept = (1.0 / (1.0 - silent)) as f32;
    let mut values = Vec::with_capacity(seeds.len() * rows * width);
    for seed in seeds {
        let mut stream = Stream::new(*seed, Purpose::Dropout, u64::from(t));
        values.extend((0..rows * width).map(|_| if stream.uniform() < silent { 0.0 } else { kept }));
    }
    Some(Tensor::from_data(TensorData::new(values, [seeds.len(), rows, width]), device))
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{values, with};
    use super::*;

    fn draw(experiment: &Experiment, t: u32, seeds: &[u64]) -> Vec<f32> {
        values(&mask(experiment, t, seeds, 50, 40, &Device::flex()).unwrap())
    }

    #[test]
    fn the_mask_silences_its_share_and_keeps_the_mean() {
        let all = draw(&with(&[("training.dropout", "0.2")]), 1, &[0, 1]);
        assert!(all.iter().all(|x| *x < f32::MIN_POSITIVE || (x - 1.25).abs() < 1e-6));
        let mean = all.iter().map(|x| f64::from(*x)).sum::<f64>() / all.len() as f64;
        // Five standard errors: a unit has variance d/(1 − d).
        assert!((mean - 1.0).abs() < 5.0 * libm::sqrt(0.25 / all.len() as f64), "{mean}");
    }

    #[test]
    fn the_mask_is_a_function_of_seed_and_update() {
        let experiment = with(&[("training.dropout", "0.5")]);
        assert_eq!(draw(&experiment, 3, &[7, 8]), draw(&experiment, 3, &[7, 8]));
        assert_ne!(draw(&experiment, 3, &[7]), draw(&experiment, 4, &[7]));
        assert_eq!(draw(&experiment, 3, &[7, 8])[2000..], draw(&experiment, 3, &[8]));
    }

    #[test]
    fn without_dropout_there_is_no_mask() {
        assert!(mask(&with(&[]), 1, &[0], 2, 2, &Device::flex()).is_none());
    }
}
