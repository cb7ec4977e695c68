//! The actions on small tensors of two replicas.

use super::*;
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{presets, with_value};
use crate::measure::{energies, ipr};
use crate::model::{ParameterSpec, specs};
use burn::tensor::{Device, TensorData};

fn experiment() -> Experiment {
    let start = &presets().iter().find(|p| p.experiment.model.architecture == "mlp").unwrap().experiment;
    let small = with_value(start, "task.operation", "add").unwrap();
    let small = with_value(&small, "task.modulus", "11").unwrap();
    with_value(&small, "model.width", "6").unwrap()
}

fn tensor(values: &[f32], dims: [usize; 3]) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &Device::flex())
}

fn values(tensor: &Tensor<3>) -> Vec<f32> {
    tensor.clone().into_data().try_into_vec::<f32>().unwrap()
}

fn drawn(specs: &[ParameterSpec]) -> Vec<Tensor<3>> {
    let mut stream = Stream::new(1, Purpose::Planted, 0);
    specs.iter().map(|s| tensor(&stream.normals(2 * s.rows * s.columns, 1.0), [2, s.rows, s.columns])).collect()
}

/// Runs a line of the timeline, without its step, before update `t`.
fn act(line: &str, experiment: &Experiment, specs: &[ParameterSpec], t: u32, weights: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
    let mut words = line.split(' ');
    let name = words.next().unwrap();
    let arguments: Vec<&str> = words.collect();
    let action = actions().iter().find(|action| action.name == name).unwrap();
    let device = Device::flex();
    let moment = Moment { t, seeds: &[3, 4], rates: &[0.1, 0.1], specs, start: &weights.clone(), device: &device };
    pollster::block_on((action.apply)(&arguments, experiment, &moment, weights)).unwrap()
}

fn square_norm(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}

#[test]
fn rescaling_by_a_half_halves_the_norm_of_what_is_named() {
    let (e, specs) = (experiment(), specs(&experiment()));
    let before = drawn(&specs);
    let all = act("rescale 0.5", &e, &specs, 1, before.clone());
    for (x, y) in before.iter().zip(&all) {
        assert!((square_norm(&values(y)) / square_norm(&values(x)) - 0.25).abs() < 1e-6);
    }
    let one = act(&format!("rescale 0.5 {}", specs[1].name), &e, &specs, 1, before.clone());
    assert_eq!(values(&one[0]), values(&before[0]));
    assert_eq!(values(&one[1]), values(&all[1]));
}

#[test]
fn a_reset_draws_from_the_starting_distribution_and_differs_by_step_and_replica() {
    let (e, specs) = (experiment(), [ParameterSpec::matrix("w", 60, 50, 0.3), ParameterSpec::bias("b", 4)]);
    let before = drawn(&specs);
    let after = act("reset w", &e, &specs, 5, before.clone());
    let all = values(&after[0]);
    let variance = square_norm(&all) / all.len() as f64;
    // Five standard errors of the variance of 6,000 normal numbers.
    assert!((variance / 0.09 - 1.0).abs() < 5.0 * libm::sqrt(2.0 / 6000.0), "{variance}");
    assert_ne!(all[..3000], all[3000..]);
    assert_eq!(values(&after[1]), values(&before[1]));
    assert_eq!(all, values(&act("reset w", &e, &specs, 5, before.clone())[0]));
    assert_ne!(all, values(&act("reset w", &e, &specs, 6, before.clone())[0]));
    assert!(values(&act("reset all", &e, &specs, 5, before)[1]).iter().all(|x| x.abs() < f32::MIN_POSITIVE));
}

#[test]
fn exchanged_tensors_hold_each_others_values() {
    let (e, specs) = (experiment(), [ParameterSpec::matrix("a", 2, 3, 1.0), ParameterSpec::matrix("b", 2, 3, 1.0)]);
    let before = drawn(&specs);
    let after = act("exchange a b", &e, &specs, 1, before.clone());
    assert_eq!((values(&after[0]), values(&after[1])), (values(&before[1]), values(&before[0])));
}

#[test]
fn noise_has_the_deviation_asked_for_and_falls_on_the_tensor_named() {
    let (e, specs) = (experiment(), [ParameterSpec::matrix("w", 60, 50, 1.0), ParameterSpec::matrix("v", 2, 2, 1.0)]);
    let before = drawn(&specs);
    let after = act("noise 0.2 w", &e, &specs, 5, before.clone());
    let moved = values(&(after[0].clone() - before[0].clone()));
    let variance = square_norm(&moved) / moved.len() as f64;
    assert!((variance / 0.04 - 1.0).abs() < 5.0 * libm::sqrt(2.0 / 6000.0), "{variance}");
    assert_eq!(values(&after[1]), values(&before[1]));
}

#[test]
fn pruning_keeps_exactly_the_neurons_of_one_frequency_and_their_rows_behind() {
    let e = experiment();
    let specs = specs(&e);
    let (p, width) = (11, 6);
    assert_eq!((specs[0].name.as_str(), specs[0].rows, specs[0].columns), ("w_in", 2 * p, width));
    // Replica 0 has cosines in its even columns, replica 1 in its odd ones; the others are noise.
    let mut stream = Stream::new(2, Purpose::Planted, 0);
    let is_cosine = |replica: usize, column: usize| column % 2 == replica;
    let mut input = Vec::new();
    for replica in 0..2 {
        for row in 0..2 * p {
            for column in 0..width {
                let frequency = (1 + column % 5) as f64;
                let angle = core::f64::consts::TAU * frequency * (row % p) as f64 / p as f64 + (row / p) as f64 + column as f64;
                let value = if is_cosine(replica, column) { libm::cos(angle) } else { stream.normal() };
                input.push(value as f32);
            }
        }
    }
    let mut before = drawn(&specs);
    before[0] = tensor(&input, [2, 2 * p, width]);
    let after = act("prune w_in 0.9", &e, &specs, 1, before.clone());
    let (w_in, w_out, old) = (values(&after[0]), values(&after[1]), values(&before[1]));
    for replica in 0..2 {
        for column in 0..width {
            let kept = is_cosine(replica, column);
            for row in 0..2 * p {
                let place = (replica * 2 * p + row) * width + column;
                assert_eq!(w_in[place].to_bits(), if kept { input[place].to_bits() } else { (input[place] * 0.0).to_bits() });
            }
            let columns = specs[1].columns;
            for place in (replica * width + column) * columns..(replica * width + column + 1) * columns {
                assert_eq!(w_out[place].to_bits(), if kept { old[place].to_bits() } else { (old[place] * 0.0).to_bits() });
            }
        }
    }
    // The threshold is on the measure's own scale.
    let column: Vec<f64> = (0..p).map(|row| f64::from(input[row * width + 1])).collect();
    assert!(ipr(&energies(&column)) < 0.9);
}

#[test]
fn truncation_keeps_the_planted_directions_and_drops_the_rest() {
    // Σ σ_k u_k v_kᵀ with orthogonal cosines: 3 and 2 are kept, 0.5 goes (Eckart & Young).
    for (rows, columns) in [(7, 12), (12, 7), (9, 9)] {
        let wave = |k: usize, i: usize, n: usize| {
            libm::cos(core::f64::consts::PI * k as f64 * (i as f64 + 0.5) / n as f64) * libm::sqrt(2.0 / n as f64)
        };
        let matrix = |sizes: &[(usize, f64)]| -> Vec<f32> {
            let value = |place: usize| -> f64 {
                let (i, j) = (place / columns, place % columns);
                sizes.iter().map(|(k, sigma)| sigma * wave(*k, i, rows) * wave(k + 1, j, columns)).sum()
            };
            (0..rows * columns).map(|place| value(place) as f32).collect()
        };
        let found = truncate::of_rank(&matrix(&[(1, 2.0), (2, 0.5), (3, 3.0)]), columns, 2);
        for (x, y) in found.iter().zip(matrix(&[(1, 2.0), (3, 3.0)])) {
            assert!((x - y).abs() < 1e-6, "{x} instead of {y} in {rows} × {columns}");
        }
    }
}

#[test]
fn full_rank_gives_the_matrix_back_in_every_replica() {
    let (e, specs) = (experiment(), [ParameterSpec::matrix("w", 5, 8, 1.0)]);
    let before = drawn(&specs);
    let after = act("truncate w 5", &e, &specs, 1, before.clone());
    assert!(values(&after[0]).iter().zip(values(&before[0])).all(|(x, y)| (x - y).abs() < 1e-5));
    let low = act("truncate w 2", &e, &specs, 1, before.clone());
    let alone = truncate::of_rank(&values(&before[0])[40..], 8, 2);
    assert_eq!(values(&low[0])[40..], alone);
}

#[test]
fn arguments_that_do_not_fit_are_answered_with_what_does() {
    let e = experiment();
    let check = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        (actions().iter().find(|action| action.name == words[0]).unwrap().check)(&words[1..], &e)
    };
    for line in ["rescale 0.5", "rescale 2 w_in", "reset all", "reset w_out", "noise 0.1", "prune w_in 0.5", "truncate w_in 3"] {
        assert!(check(line).is_ok(), "{line}: {:?}", check(line));
    }
    for (line, remedy) in [
        ("rescale", "rescale FACTOR [TENSOR]"),
        ("rescale much", "number"),
        ("rescale 2000", "1000"),
        ("reset w_inn", "w_in"),
        ("exchange w_in w_out", "size"),
        ("exchange w_in w_in", "size"),
        ("prune w_out 0.5", "w_in"),
        ("prune w_in 2", "1"),
        ("truncate w_in 99", "6"),
        ("truncate w_in 2.5", "2"),
    ] {
        let error = check(line).unwrap_err();
        assert!(error.remedy.contains(remedy), "{line}: {error}");
    }
}
