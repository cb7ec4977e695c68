//! The spectrum of whole networks against oracles: the analytic solution of modular arithmetic (Gromov 2023), Gaussian starts.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::measure::{measure_checkpoint, powers_of_primitive_root, spectrum};
use grokscope::record::{NamedTensor, Weights};
use std::f64::consts::TAU;

/// `base` with another task, and its width at `width`.
fn experiment(base: &str, operation: &str, modulus: u32, width: u32) -> Experiment {
    let path = if base.starts_with("quadratic") { "model.width" } else { "model.d_model" };
    let changes = [("task.operation", operation.to_owned()), ("task.modulus", modulus.to_string()), (path, width.to_string())];
    let start = preset(base).unwrap().experiment.clone();
    changes.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
}

fn mlp(operation: &str, modulus: u32, width: u32) -> Experiment {
    experiment("quadratic-31", operation, modulus, width)
}

fn transformer(operation: &str, modulus: u32, d_model: u32) -> Experiment {
    experiment("transformer-59", operation, modulus, d_model)
}

fn weights(name: &str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Weights {
    let values = (0..rows * columns).map(|i| value(i / columns, i % columns) as f32).collect();
    Weights { tensors: vec![NamedTensor { name: name.into(), shape: vec![rows, columns], values }] }
}

fn gaussian(name: &str, rows: usize, columns: usize) -> Weights {
    let values = Stream::new(2, Purpose::Planted, 0).normals(rows * columns, 0.1);
    Weights { tensors: vec![NamedTensor { name: name.into(), shape: vec![rows, columns], values }] }
}

/// cos(2πk·t/n + φ) with a phase of its own for every neuron and half.
fn wave(k: usize, t: usize, n: usize, phase: usize) -> f64 {
    (TAU * (k * t) as f64 / n as f64 + 1.3 * phase as f64).cos()
}

#[test]
fn analytic_weights_have_one_frequency_per_neuron_and_use_all_alike() {
    let (p, neurons) = (31, 60);
    let weights = weights("w_in", 2 * p, neurons, |row, n| wave(1 + n % 15, row % p, p, 2 * n + row / p));
    let measures = measure_checkpoint(44, &weights, &mlp("add", 31, 60)).unwrap();
    assert!((measures.mean_ipr - 1.0).abs() < 1e-5, "{measures:?}");
    assert!(measures.spectrum.iter().all(|share| (share - 1.0 / 15.0).abs() < 1e-5), "{measures:?}");
    assert!(measures.gini < 1e-4 && measures.key_frequencies.is_empty(), "{measures:?}");
    // Closed form: every column has energy p/2.
    assert!((measures.weight_norm - (31.0f32 / 2.0 * 120.0).sqrt()).abs() < 1e-3, "{measures:?}");
    assert_eq!(measures.step, 44);
}

#[test]
fn key_frequencies_are_found_largest_first() {
    let p = 59;
    let size = |n: usize| [1.0, 3.0, 2.0, 2.5][n % 4];
    let weights = weights("embed", p + 1, 64, |t, n| if t == p { 1e6 } else { size(n) * wave([4, 21, 9, 13][n % 4], t, p, n) });
    let measures = measure_checkpoint(0, &weights, &transformer("add", 59, 64)).unwrap();
    assert_eq!(measures.key_frequencies, [21, 13, 9], "frequency 4 has 1/20.25 of the energy, less than twice 1/29");
    assert!((measures.spectrum[20] - 9.0 / 20.25).abs() < 1e-5, "the row of = stays out: {measures:?}");
    assert!(measures.gini > 0.8 && (measures.mean_ipr - 1.0).abs() < 1e-5);
}

#[test]
fn a_gaussian_start_is_flat() {
    // Reference: mean IPR ≈ 2 / number of frequencies, ≤ .06 at p = 97 before training.
    let start = measure_checkpoint(0, &gaussian("w_in", 194, 500), &mlp("add", 97, 500)).unwrap();
    assert!((start.mean_ipr - 2.0 / 49.0).abs() < 0.002, "{}", start.mean_ipr);
    assert!(start.key_frequencies.is_empty() && start.gini < 0.06);
    let start = measure_checkpoint(0, &gaussian("embed", 60, 64), &transformer("add", 59, 64)).unwrap();
    assert!(start.spectrum.iter().all(|share| share * 29.0 < 1.6) && start.key_frequencies.is_empty(), "{start:?}");
}

#[test]
fn multiplication_is_seen_over_the_discrete_logarithm() {
    let p = 31;
    let mut logarithm = vec![0; p];
    for (exponent, token) in powers_of_primitive_root(31).unwrap().into_iter().enumerate() {
        logarithm[token as usize] = exponent;
    }
    // A character of the multiplicative group; token 0 belongs to no cycle and may hold anything.
    let character = |row: usize, n: usize| if row.is_multiple_of(p) { 50.0 } else { wave(7, logarithm[row % p], p - 1, n) };
    let weights = weights("w_in", 2 * p, 8, character);
    for operation in ["mul", "div"] {
        let found = spectrum(&weights, &mlp(operation, 31, 8)).unwrap();
        assert_eq!((found.cycle, found.frequencies.len()), (30, 15));
        assert!((found.frequencies[6] - 1.0).abs() < 1e-9 && (found.mean_ipr - 1.0).abs() < 1e-9, "{found:?}");
    }
    let as_sum = spectrum(&weights, &mlp("add", 31, 8)).unwrap();
    assert!(as_sum.frequencies.iter().all(|&share| share < 0.3), "the same weights look flat over the residues: {as_sum:?}");
}

#[test]
fn weights_of_another_experiment_are_refused() {
    let experiment = mlp("add", 31, 8);
    let cause = |weights: &Weights| spectrum(weights, &experiment).unwrap_err().cause;
    assert!(cause(&Weights::default()).contains("no tensor w_in"));
    assert!(cause(&gaussian("w_in", 60, 8)).contains("62 rows"));
    assert!(cause(&gaussian("embed", 32, 8)).contains("w_in"));
}

#[test]
fn multiplication_modulo_a_composite_number_is_refused_with_the_reason() {
    let error = spectrum(&gaussian("w_in", 66, 8), &mlp("mul", 33, 8)).unwrap_err();
    assert!(error.cause.contains("33 is not prime"), "{error}");
}
