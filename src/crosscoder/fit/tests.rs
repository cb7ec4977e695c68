//! How long a fit goes on, and how long its gradients may be.

use super::{DECAY, Fit, clipped};
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, Kind, PlantedConfig, crosscoder_preset, plant};
use crate::experiment::{preset, with_value};
use crate::task::Dataset;
use burn::tensor::{Device, Tensor, TensorData};

fn fitted(change: CrosscoderConfig) -> CrosscoderResult {
    let task = with_value(&preset("quadratic-31").unwrap().experiment, "task.modulus", "23").unwrap().task;
    let data = Dataset::new(&task, 0).unwrap();
    let features = vec![(Kind::Shared, 6), (Kind::Emergent, 3)];
    let planted = PlantedConfig { seed: 1, sources: 2, width: 12, rows: data.rows.len(), density: 0.15, noise: 0.01, features };
    let mut fit = Fit::on_cpu(change, plant(&planted).unwrap().sources, data).unwrap();
    while !fit.is_done() {
        if fit.row_is_due() {
            pollster::block_on(fit.row()).unwrap();
        }
        fit.advance();
    }
    pollster::block_on(fit.finish(0.0)).unwrap().0
}

fn small() -> CrosscoderConfig {
    let base = crosscoder_preset("births").unwrap().config.clone();
    CrosscoderConfig { latents: 16, lambda: 0.1, batch_size: 128, learning_rate: 3e-3, probe: false, ..base }
}

#[test]
fn a_fit_that_gains_nothing_more_comes_to_its_end_with_its_learning_rate_at_0() {
    let steps = 6000;
    let whole = fitted(CrosscoderConfig { steps, ..small() });
    let early = fitted(CrosscoderConfig { steps, patience: 5, ..small() });
    let last = |fit: &CrosscoderResult| fit.curves.last().unwrap().step;
    assert_eq!(last(&whole), steps);
    let decay = (DECAY * f64::from(steps)) as u32;
    assert!(last(&early) < steps && last(&early) > decay, "it ended at {}", last(&early));
    let least = |fit: &CrosscoderResult| fit.explained_variance.iter().copied().fold(f32::INFINITY, f32::min);
    assert!(least(&early) > least(&whole) - 0.01 && least(&early) > 0.95, "{} against {}", least(&early), least(&whole));
    // Where it is told to go on, it does.
    assert_eq!(last(&fitted(CrosscoderConfig { steps: 300, patience: 1000, ..small() })), 300);
}

#[test]
fn long_gradients_are_shortened_together_and_short_ones_left_alone() {
    let device = Device::flex();
    let tensor = |values: [f32; 2]| Tensor::<3>::from_data(TensorData::new(values.to_vec(), [1, 1, 2]), &device);
    let of = |most: f64| -> Vec<f32> {
        let all = clipped(vec![tensor([3.0, 0.0]), tensor([0.0, -4.0])], most);
        all.into_iter().flat_map(|gradient| gradient.into_data().try_into_vec::<f32>().unwrap()).collect()
    };
    let close = |found: &[f32], expected: [f32; 4]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close(&of(1.0), [0.6, 0.0, 0.0, -0.8]), "{:?}", of(1.0));
    assert_eq!(of(5.5), [3.0, 0.0, 0.0, -4.0]);
    let none = clipped(vec![tensor([0.0, 0.0])], 1.0).remove(0).into_data().try_into_vec::<f32>().unwrap();
    assert_eq!(none, [0.0, 0.0]);
}
